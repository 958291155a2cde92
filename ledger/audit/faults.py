"""A list of faults that does not grow with the damage."""

from __future__ import annotations

from typing import Final

from ledger.refusals import LedgerInvariant

LIMIT: Final = 50


class CheckpointInconsistent(LedgerInvariant):
    """A stored checkpoint does not prove what it should; it must not be announced."""


class Faults(list[str]):
    """Faults found by one check: the first `LIMIT`, and then no more."""

    def note(self, fault: str) -> None:
        """Add a fault unless there are enough."""
        if len(self) < LIMIT:
            self.append(fault)

    def expect(self, holds: bool, fault: str) -> None:
        """Add a fault if something does not hold."""
        if not holds:
            self.note(fault)
