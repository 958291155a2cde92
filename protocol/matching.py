"""Matching: at which price and how much two orders trade.

Each order is the taker once, when it arrives; then it rests. A taker meets resting orders of the
opposite direction, best price for the taker first, then the earlier one, and trades at the resting
order's price. Everything is exact integer arithmetic: what the taker pays is rounded up, what it
receives is rounded down, and no trade moves an order past its own limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Order:
    """An open order as matching sees it. Amounts in base units, matched totals over all eons.

    `sells`: spend the whole `amount`, get at least `amount_swapped`. Otherwise a buy order: get
    exactly `amount_swapped`, spend at most `amount`. Both amounts are at least 1.
    """

    amount: int
    amount_swapped: int
    sells: bool = True
    matched_out: int = 0
    matched_in: int = 0

    @property
    def unsold(self) -> int:
        """What the order may still pay."""
        return self.amount - self.matched_out

    @property
    def unbought(self) -> int:
        """What the order still wishes to receive; not above 0 once it got its wish."""
        return self.amount_swapped - self.matched_in

    @property
    def is_fulfilled(self) -> bool:
        """Whether the order is at its end: all sold, or for a buy order all bought."""
        return self.unsold <= 0 or (not self.sells and self.unbought <= 0)

    @property
    def is_within_limit(self) -> bool:
        """Whether the order paid no more than it has and received no less than its limit price."""
        fair = self.matched_in * self.amount >= self.amount_swapped * self.matched_out
        wished = self.sells or self.matched_in <= self.amount_swapped
        return fair and wished and self.matched_out <= self.amount

    def after(self, *, paid: int, received: int) -> "Order":
        """Return the order with a trade added."""
        return replace(
            self, matched_out=self.matched_out + paid, matched_in=self.matched_in + received
        )


class Trade(NamedTuple):
    """What the taker pays and receives, each in base units of its own token."""

    paid: int
    received: int


class Fill(NamedTuple):
    """One trade of a taker's walk: the resting order's place in the book, the trade, it after."""

    place: int
    trade: Trade
    resting: Order


def crosses(taker: Order, resting: Order) -> bool:
    """Tell whether the limits of two opposite orders meet."""
    return taker.amount * resting.amount >= taker.amount_swapped * resting.amount_swapped


def priority(resting: Order, sequence: int) -> tuple[Fraction, int]:
    """Sort key of a book, lowest first: cheapest for the taker, then earliest accepted."""
    return Fraction(resting.amount_swapped, resting.amount), sequence


def trade(taker: Order, resting: Order) -> Trade | None:
    """Work out the trade of two open, opposite orders at the resting order's price.

    None if their limits do not meet, or no trade of at least one unit each keeps both within
    their limits.
    """
    if not crosses(taker, resting) or taker.is_fulfilled or resting.is_fulfilled:
        return None
    wanted = _most_of_taker(taker, resting)
    offered = _most_of_resting(resting)
    if wanted.paid > offered.paid or wanted.received > offered.received:
        wanted = offered
    if wanted.paid < 1 or wanted.received < 1:
        return None
    taker_after = taker.after(paid=wanted.paid, received=wanted.received)
    resting_after = resting.after(paid=wanted.received, received=wanted.paid)
    return wanted if taker_after.is_within_limit and resting_after.is_within_limit else None


def match(taker: Order, book: Iterable[Order]) -> tuple[Order, list[Fill]]:
    """Walk a taker through its book, sorted by `priority`; return it afterwards, and its fills.

    The walk ends when the taker is fulfilled or prices no longer meet. A resting order with which
    no trade is possible is passed over.
    """
    fills: list[Fill] = []
    for place, resting in enumerate(book):
        if taker.is_fulfilled or not crosses(taker, resting):
            break
        terms = trade(taker, resting)
        if terms is None:
            continue
        taker = taker.after(paid=terms.paid, received=terms.received)
        fills.append(Fill(place, terms, resting.after(paid=terms.received, received=terms.paid)))
    return taker, fills


def _most_of_taker(taker: Order, resting: Order) -> Trade:
    """What the taker alone would trade at the resting order's price."""
    if taker.sells:
        return Trade(taker.unsold, taker.unsold * resting.amount // resting.amount_swapped)
    return Trade(
        _divide_up(taker.unbought * resting.amount_swapped, resting.amount), taker.unbought
    )


def _most_of_resting(resting: Order) -> Trade:
    """What the resting order alone would trade, seen from the taker."""
    if resting.sells:
        return Trade(
            _divide_up(resting.unsold * resting.amount_swapped, resting.amount), resting.unsold
        )
    return Trade(resting.unbought, resting.unbought * resting.amount // resting.amount_swapped)


def _divide_up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
