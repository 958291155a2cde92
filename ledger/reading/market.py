"""The market as anybody may see it: open orders by price, and executed trades."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import groupby
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.clock import find_view
from ledger.tokens import find_token
from protocol.address import Address

BOOK_LIMIT: Final = 10_000
"""Orders read for one side of a book; those with the best prices for a taker come first."""
LEVELS_LIMIT: Final = 500
"""Price levels shown of one side: those nearest to the other side."""
TRADES_LIMIT: Final = 1_000
PRICE_DIGITS: Final = 4

_OPEN: Final = text("""
SELECT x.amount, x.amount_swapped, x.matched_out, x.matched_in, x.sell_order, x.arrival
FROM transfer x JOIN wallet s ON s.id = x.sender_id JOIN wallet r ON r.id = x.recipient_id
WHERE x.swap AND x.eon = :eon AND s.token_id = :sold AND r.token_id = :bought
  AND NOT (x.processed OR x.complete OR x.voided OR x.cancelled)
ORDER BY x.amount_swapped / x.amount, x.arrival LIMIT :limit
""")
_TRADES: Final = text("""
SELECT left_token_id, left_deducted, right_deducted, time FROM matching
WHERE time >= :first AND time < :end
  AND ((left_token_id = :left AND right_token_id = :right)
    OR (left_token_id = :right AND right_token_id = :left))
ORDER BY time, id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """Open orders of one price: the price as its first order gave it, what is left in all."""

    amount: int
    amount_swapped: int
    remaining_out: int
    remaining_in: int


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Both directions of a pair, best-known as asks and bids, by price in right per left."""

    sell_orders: tuple[PriceLevel, ...]
    buy_orders: tuple[PriceLevel, ...]


@dataclass(frozen=True, slots=True)
class ExecutedTrade:
    """A trade: the left token's amount, the price in right per left, cut to four decimals."""

    volume: int
    price: str
    time: datetime


def order_book(
    session: Session, left: Address, right: Address, eon: int | None
) -> OrderBook | None:
    """Read the open orders of a pair in `eon`, by default and at most the current one.

    None for an unknown token. Orders that wait to be confirmed are shown, frozen ones are not.
    """
    tokens = find_token(session, left), find_token(session, right)
    if tokens[0] is None or tokens[1] is None:
        return None
    view = find_view(session)
    current = view.current_eon if view is not None else 0
    eon = current if eon is None or eon > current else eon
    ids = tokens[0].id, tokens[1].id
    return OrderBook(
        sell_orders=_levels(session, eon, *ids, is_ask=True),
        buy_orders=_levels(session, eon, *reversed(ids), is_ask=False),
    )


def executed_trades(
    session: Session, left: Address, right: Address, first_s: int, last_s: int
) -> tuple[ExecutedTrade, ...] | None:
    """Read trades of a pair between two Unix seconds, both included, by time; None for an
    unknown token."""
    tokens = find_token(session, left), find_token(session, right)
    if tokens[0] is None or tokens[1] is None:
        return None
    rows = session.execute(
        _TRADES,
        {
            "left": tokens[0].id,
            "right": tokens[1].id,
            "first": datetime.fromtimestamp(first_s, UTC),
            "end": datetime.fromtimestamp(last_s + 1, UTC),
            "limit": TRADES_LIMIT,
        },
    )
    trades = []
    for sold_id, sold, bought, time in rows:
        volume, counter = (sold, bought) if sold_id == tokens[0].id else (bought, sold)
        trades.append(ExecutedTrade(volume, _price(volume, counter), time))
    return tuple(trades)


def _levels(
    session: Session, eon: int, sold: int, bought: int, *, is_ask: bool
) -> tuple[PriceLevel, ...]:
    arguments = {"eon": eon, "sold": sold, "bought": bought, "limit": BOOK_LIMIT}
    rows = session.execute(_OPEN, arguments).all()

    def price(row: Any) -> Fraction:
        ratio = Fraction(row.amount_swapped, row.amount)
        return ratio if is_ask else 1 / ratio

    rows = sorted(rows, key=lambda row: (-price(row), row.arrival))
    levels = tuple(_level(list(same)) for _, same in groupby(rows, key=price))
    return levels[-LEVELS_LIMIT:] if is_ask else levels[:LEVELS_LIMIT]


def _level(rows: Iterable[Any]) -> PriceLevel:
    rows = list(rows)
    remaining = [_remaining(row) for row in rows]
    return PriceLevel(
        rows[0].amount,
        rows[0].amount_swapped,
        sum(out for out, _ in remaining),
        sum(wanted for _, wanted in remaining),
    )


def _remaining(row: Any) -> tuple[int, int]:
    """What an order may still pay and receive: one of them counts, the other follows its price."""
    if row.sell_order:
        out = row.amount - row.matched_out
        return out, out * row.amount_swapped // row.amount
    wanted = row.amount_swapped - row.matched_in
    return wanted * row.amount // row.amount_swapped, wanted


def _price(volume: int, counter: int) -> str:
    whole, part = divmod(counter * 10**PRICE_DIGITS // volume, 10**PRICE_DIGITS)
    decimals = f"{part:0{PRICE_DIGITS}d}".rstrip("0") or "0"
    return f"{whole}.{decimals}"
