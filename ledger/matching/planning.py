"""A batch of takers walked through the books in memory: what would trade, before any lock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import merge

from ledger.matching.book import Books, Resting
from protocol.matching import crosses, priority, trade


@dataclass(frozen=True, slots=True)
class PlannedTrade:
    """A trade between a taker and a resting order: what the taker pays and receives."""

    taker: Resting
    resting: Resting
    paid: int
    received: int


@dataclass(slots=True)
class Plan:
    """What a batch changes: `after` holds every order of the batch as it is afterwards."""

    takers: list[Resting]
    trades: list[PlannedTrade] = field(default_factory=list)
    before: dict[int, Resting] = field(default_factory=dict)
    after: dict[int, Resting] = field(default_factory=dict)

    @property
    def traded(self) -> list[Resting]:
        """The orders that trade, as they are afterwards, by their ids."""
        changed = {trade.taker.transfer_id for trade in self.trades}
        changed |= {trade.resting.transfer_id for trade in self.trades}
        return [self.after[transfer_id] for transfer_id in sorted(changed)]


def plan_batch(books: Books, takers: Iterable[Resting], unfit: frozenset[int]) -> Plan:
    """Walk takers through the books, one after the other; each rests for the next ones.

    `unfit` are orders that must not trade now. The books are as before afterwards.
    """
    plan = Plan(list(takers))
    arrived = Books()
    for taker in plan.takers:
        plan.before[taker.transfer_id] = taker
        walked = taker
        if taker.transfer_id not in unfit:
            walked = _walk(books, arrived, plan, taker, unfit)
        plan.after[taker.transfer_id] = walked
        if not walked.order.is_fulfilled:
            arrived.add(walked)
    return plan


def _walk(
    books: Books, arrived: Books, plan: Plan, taker: Resting, unfit: frozenset[int]
) -> Resting:
    for known in _merged(books, arrived, taker):
        resting = plan.after.get(known.transfer_id, known)
        # Prices do not change while an order is filled: what is known of it decides the order.
        if taker.order.is_fulfilled or not crosses(taker.order, resting.order):
            break
        terms = None if resting.transfer_id in unfit else trade(taker.order, resting.order)
        if terms is None:
            continue
        plan.trades.append(PlannedTrade(taker, resting, terms.paid, terms.received))
        plan.before.setdefault(resting.transfer_id, known)
        taker = taker.after(taker.order.after(paid=terms.paid, received=terms.received))
        after = resting.order.after(paid=terms.received, received=terms.paid)
        plan.after[resting.transfer_id] = resting.after(after)
    return taker


def _merged(books: Books, arrived: Books, taker: Resting) -> Iterable[Resting]:
    """The orders of both books that a taker may meet, best first."""
    return merge(
        books.opposite(taker.direction),
        arrived.opposite(taker.direction),
        key=lambda resting: priority(resting.order, resting.arrival),
    )
