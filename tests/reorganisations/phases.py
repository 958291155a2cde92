"""What a reorganisation may hit: something that waits to become final, and how to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from activities.broadcasting import Broadcaster
from activities.watching import Watcher
from chain.calls import Call
from chain.signer import TransactionSigner
from chain.transactions import find_receipt
from duties.transactions import Broadcast
from models import TransactionIntent
from tests.challenges.live import LiveWorld, private_key


class Phase(Protocol):
    """One thing on its way to finality."""

    name: str

    def send(self) -> None:
        """Put its transaction into the pool, for the first time or again."""

    def is_on_chain(self) -> bool:
        """Whether the node's chain has it."""

    def counts(self) -> bool:
        """Whether the ledger takes it as final."""


@dataclass
class OfAUser:
    """A call that a wallet makes itself; the same bytes each time."""

    name: str
    world: LiveWorld
    who: str
    call: Call
    counts_in: Callable[[], bool]
    tx_hash: bytes = b""

    def send(self) -> None:
        self.world.fund(self.who)
        self.tx_hash = self.world.chain.send(TransactionSigner(private_key(self.who)), self.call)

    def is_on_chain(self) -> bool:
        return find_receipt(self.world.chain.node, self.tx_hash) is not None

    def counts(self) -> bool:
        return self.counts_in()


@dataclass
class OfTheOperator:
    """An intent of ours, carried out by the activities that the duties use."""

    name: str
    world: LiveWorld
    intent_id: int
    counts_in: Callable[[], bool] = lambda: True

    def send(self) -> None:
        self._look()
        Broadcaster(self.world.context).broadcast(Broadcast(self.intent_id))

    def is_on_chain(self) -> bool:
        self._look()
        return self._state() in ("mined", "confirmed")

    def counts(self) -> bool:
        self._look()
        return self._state() == "confirmed" and self.counts_in()

    def _look(self) -> None:
        Watcher(self.world.context)._look(self.intent_id)

    def _state(self) -> str:
        with self.world.begin() as session:
            query = select(TransactionIntent.state).where(TransactionIntent.id == self.intent_id)
            return str(session.scalars(query).one())


def survive_every_depth(phase: Phase, world: LiveWorld) -> set[tuple[str, int]]:
    """Lose the phase's block at every depth that is not final, then let it become final.

    Each time the chain goes on without the transaction, which is then sent again.
    """
    seen = set()
    for depth in range(1, world.rules.confirmations + 1):
        mark = world.chain.mark()
        phase.send()
        world.mine(depth)
        assert phase.is_on_chain(), (phase.name, depth)
        assert not phase.counts(), (phase.name, depth)
        world.chain.return_to(mark)
        world.chain.rpc("anvil_dropAllTransactions")
        world.mine(depth + 1)
        assert not phase.is_on_chain(), (phase.name, depth)
        assert not phase.counts(), (phase.name, depth)
        seen.add((phase.name, depth))
    phase.send()
    world.mine()
    world.settle()
    assert phase.is_on_chain() and phase.counts(), phase.name
    return seen
