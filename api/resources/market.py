"""The market of a pair: open orders, and executed matches for those on the list."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from sanic import HTTPResponse, Request

from api.faults import Detail, FieldFaults, item
from api.forms.fields import LARGEST_EON, find_address
from api.openapi.schemas import array_of, query, ref
from api.operator import Operator
from api.replies import json_reply
from api.routing import Errors, Operation
from ledger.payloads import seconds
from ledger.reading.market import ExecutedTrade, PriceLevel, executed_trades, order_book
from protocol.address import Address

LATEST_TIME_S: Final = 10**10
"""Far beyond any trade, and within what calendars know."""


class Market:
    """`GET /audit/<left>/<right>/orderbook` and `GET /audit/<left>/<right>/matches`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def operations(self) -> tuple[Operation, ...]:
        """The routes."""
        return (
            Operation(
                "GET",
                "/<left:ADDRESS>/<right:ADDRESS>/orderbook",
                self.orders,
                "orderBook",
                "Open orders of a pair, by price in right per left, highest first",
                ref("OrderBook"),
                query=(query("eon_number", "An eon; by default the current one."),),
                refusals=(404, 503),
            ),
            Operation(
                "GET",
                "/<left:ADDRESS>/<right:ADDRESS>/matches",
                self.matches,
                "listMatches",
                "Executed matches of a pair, by time; for addresses on the operator's list",
                array_of(ref("Match")),
                query=(
                    query("start_time", "Unix seconds, included; now by default."),
                    query("end_time", "Unix seconds, included; now by default."),
                ),
                errors=Errors(fields=("invalid",)),
                refusals=(403, 404, 503),
            ),
        )

    async def orders(self, request: Request, left: str, right: str) -> HTTPResponse:
        """Open orders of both directions."""
        self._operator.rules()
        pair = _address(left), _address(right)
        spelled = request.args.get("eon_number", "")
        is_number = spelled.isascii() and spelled.isdigit() and len(spelled) < len(str(LARGEST_EON))
        eon = int(spelled) if is_number else None
        book = await self._operator.database.read(order_book, *pair, eon)
        if book is None:
            raise Detail(404, "no such token")
        return json_reply(
            {
                "sell_orders": [_level(level) for level in book.sell_orders],
                "buy_orders": [_level(level) for level in book.buy_orders],
            }
        )

    async def matches(self, request: Request, left: str, right: str) -> HTTPResponse:
        """Executed matches of both directions."""
        self._operator.rules()
        if self._operator.callers.address(request) not in self._operator.policy.matching_addresses:
            raise Detail(403, "this address may not read matches")
        pair = _address(left), _address(right)
        first, last = _period({name: values[0] for name, values in request.args.items()})
        trades = await self._operator.database.read(executed_trades, *pair, first, last)
        if trades is None:
            raise Detail(404, "no such token")
        return json_reply([_match(trade) for trade in trades])


def _address(spelled: str) -> Address:
    address = find_address(spelled)
    if address is None:
        raise Detail(404, "no such token")
    return address


def _period(given: Mapping[str, str]) -> tuple[int, int]:
    now = int(time.time())
    errors: dict[str, Any] = {}
    found: dict[str, int] = {}
    for name in ("start_time", "end_time"):
        spelled = given.get(name, str(now))
        if spelled.isascii() and spelled.isdigit() and len(spelled) <= len(str(LATEST_TIME_S)):
            found[name] = min(int(spelled), LATEST_TIME_S)
        else:
            errors[name] = [item("invalid", "not Unix seconds")]
    if errors:
        raise FieldFaults(errors)
    return found["start_time"], found["end_time"]


def _level(level: PriceLevel) -> dict[str, str]:
    return {
        "amount": str(level.amount),
        "amount_swapped": str(level.amount_swapped),
        "remaining_out": str(level.remaining_out),
        "remaining_in": str(level.remaining_in),
    }


def _match(trade: ExecutedTrade) -> dict[str, Any]:
    return {"volume": str(trade.volume), "price": trade.price, "time": seconds(trade.time)}
