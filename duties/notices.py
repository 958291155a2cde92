"""Facts of the ledger that start a duty or wake one; the ledger spells these kinds itself."""

from typing import Final

EON_BEGAN: Final = "eon-began"
"""Arguments: `eon`."""

DESK_KINDS: Final = frozenset(("withdrawal-requested", "withdrawal-settled", "withdrawal-payable"))
"""A wallet's requests changed. Arguments: `token` and `address` (40 digits), `short_name`."""
