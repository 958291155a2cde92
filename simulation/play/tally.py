"""What the scenes of a play did and were told, for the verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from protocol.address import Address


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
    """Counts by name, payments acknowledged, who cheated and disputed, what went wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    payments: list[Acknowledged] = field(default_factory=list)
    cheats: set[tuple[Address, Address]] = field(default_factory=set)
    """(token, holder) of requests that the operator must have cancelled."""
    disputed: set[tuple[int, Address, Address, Address]] = field(default_factory=set)
    """(eon, token, recipient, sender) of deliveries: the contract takes one challenge of each."""
    faults: list[str] = field(default_factory=list)

    def count(self, what: str) -> None:
        """One more of something that scenes do."""
        self.counts[what] += 1

    def meet(self, trouble: Exception) -> None:
        """One more refusal or interruption that a wallet had to bear."""
        self.troubles[type(trouble).__name__] += 1
