"""Facts of the ledger that start a duty or wake one; the ledger spells these kinds itself."""

from typing import Final

EON_BEGAN: Final = "eon-began"
"""Arguments: `eon`."""

EON_REOPENED: Final = "eon-reopened"
"""The chain may have lost a root that was final. Arguments: `eon`."""

TRANSACTION_OPENED: Final = "transaction-opened"
"""An intent without a duty that waits for it. Arguments: `intent_id`, `key`, `title`."""

DESK_KINDS: Final = frozenset(("withdrawal-requested", "withdrawal-settled", "withdrawal-payable"))
"""A wallet's requests changed. Arguments: `token` and `address` (40 digits), `short_name`."""

CHALLENGE_ISSUED: Final = "challenge-issued"
"""A challenge is open on chain. Arguments: `challenge`, its row."""

SLASH_DECIDED: Final = "slash-decided"
"""A wallet's requests are to be cancelled. Arguments: those of `SlashOrder`."""

DELEGATION_ACCEPTED: Final = "delegation-accepted"
"""A wallet has us request a withdrawal. Arguments: `delegation`, its row."""

COVER_ORDERED: Final = "cover-ordered"
"""A person has an over-claim covered. Arguments: `cover`, its row."""

URGENT: Final = frozenset((CHALLENGE_ISSUED, EON_BEGAN, SLASH_DECIDED, COVER_ORDERED))
"""Delivered before all others: their deadlines are short, and desks may be thousands."""
