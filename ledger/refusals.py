"""A request that the ledger refuses: nothing has changed, and the reason has a name."""

from __future__ import annotations


class Refusal(Exception):
    """A refused request.

    `code` is the wire's error code, `field` the member of the request it belongs to (None when it
    concerns the request as a whole) and `message` a sentence for a person.
    """

    def __init__(self, code: str, message: str = "", *, field: str | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.field = field


class LedgerInvariant(Exception):
    """The ledger contradicts itself: money would be wrong if the operation went on."""
