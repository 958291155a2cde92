"""The books in memory: resting orders by direction, best price first, then first come."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from protocol.matching import Order, priority

Direction: TypeAlias = tuple[int, int]
"""Ids of the token that is sold and of the token that is bought."""
_Place: TypeAlias = tuple[Fraction, int, int]


@dataclass(frozen=True, slots=True)
class Resting:
    """An open order: its copy of this eon, its wallets and what matching knows of it."""

    transfer_id: int
    arrival: int
    direction: Direction
    debit_id: int
    credit_id: int
    order: Order

    def after(self, order: Order) -> Resting:
        """The same order after a trade."""
        return replace(self, order=order)


class Books:
    """Every direction's book of one eon. A change costs the logarithm of the book.

    A book is a list sorted by priority; an order keeps its place while it is partly filled.
    """

    def __init__(self) -> None:
        self._places: dict[Direction, list[_Place]] = {}
        self._orders: dict[int, Resting] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, resting: Resting) -> None:
        """Let an order rest, or replace what is known of one that does."""
        if resting.transfer_id not in self._orders:
            insort(self._places.setdefault(resting.direction, []), _place(resting))
        self._orders[resting.transfer_id] = resting

    def remove(self, transfer_id: int) -> None:
        """Forget an order that has ended or stopped; nothing happens if it does not rest."""
        resting = self._orders.pop(transfer_id, None)
        if resting is not None:
            places = self._places[resting.direction]
            del places[bisect_left(places, _place(resting))]

    def opposite(self, direction: Direction) -> Iterator[Resting]:
        """Walk the orders that a taker of `direction` may meet, the best for it first."""
        sold, bought = direction
        for _, _, transfer_id in self._places.get((bought, sold), []):
            yield self._orders[transfer_id]


def _place(resting: Resting) -> _Place:
    price, arrival = priority(resting.order, resting.arrival)
    return price, arrival, resting.transfer_id
