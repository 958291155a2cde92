"""Facts of the ledger that start a duty or wake one; the ledger spells these kinds itself."""

from typing import Final

EON_BEGAN: Final = "eon-began"
"""Arguments: `eon`."""

DESK_KINDS: Final = frozenset(("withdrawal-requested", "withdrawal-settled"))
"""A wallet's requests changed. Arguments: `token` and `address`, 40 digits each."""

CHECKPOINT_SUBMITTED: Final = "checkpoint-submitted"
"""A root is confirmed on chain. Arguments: `eon`."""

TOKEN_REGISTERED: Final = "token-registered"
"""A token's trail is confirmed on chain. Arguments: `token` (40 digits)."""
