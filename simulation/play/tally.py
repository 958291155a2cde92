"""What the scenes of a play did and were told, for the verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A payment whose countersigned state reached its sender; players by name."""

    id: int
    eon: int
    nonce: int
    amount: int
    payer: str
    payee: str


@dataclass(slots=True)
class Tally:
    """Counts by name, payments acknowledged, and what went wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    payments: list[Acknowledged] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def count(self, what: str) -> None:
        """One more of something that scenes do."""
        self.counts[what] += 1

    def meet(self, trouble: Exception) -> None:
        """One more refusal or interruption that a wallet had to bear."""
        self.troubles[type(trouble).__name__] += 1
