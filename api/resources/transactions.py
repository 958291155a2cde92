"""Transactions: the list with its filters and pages, and one in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.faults import Detail, FieldFaults, item
from api.forms.fields import LARGEST_EON, amount
from api.forms.form import FieldError
from api.openapi.schemas import query, ref
from api.operator import Operator
from api.policy import PAGE_CAP, PAGE_DEFAULT
from api.rendering.transactions import render_transaction
from api.replies import reply, to_json
from api.routing import Errors, Operation
from ledger.payloads import concise_transaction
from ledger.reading.listing import TransactionFilter, list_transactions
from ledger.reading.transactions import find_transaction

FLAGS: Final = ("passive", "swap", "complete", "cancelled", "voided")
TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}
LARGEST_OFFSET_DIGITS: Final = 15
HEXADECIMAL: Final = frozenset("0123456789abcdef")
SEARCH_TERMS_LIMIT: Final = 8


class Transactions:
    """`GET /audit/transactions/` and `GET /audit/transactions/<id>/`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def operations(self) -> tuple[Operation, ...]:
        """The routes."""
        flags = tuple(query(name, "true, 1, false, 0; others are ignored.") for name in FLAGS)
        return (
            Operation(
                "GET",
                "/transactions",
                self.list,
                "listTransactions",
                "Transactions, filtered, ordered and paged",
                ref("ConciseTransactionPage"),
                query=(
                    query("limit", f"Rows of a page: {PAGE_DEFAULT}, at most {PAGE_CAP}."),
                    query("offset", "Rows to skip."),
                    query("ordering", "Names of fields, - before one reverses it."),
                    query("search", "Texts that must each be part of an address or token."),
                    query("tx_id", "A UUID; the rows of an order share it."),
                    query("eon_number", "An eon."),
                    query("nonce", "A nonce."),
                    *flags,
                ),
                errors=Errors(fields=("invalid",)),
                refusals=(503,),
                spelled_with_slash=True,
            ),
            Operation(
                "GET",
                "/transactions/<number:NUMBER>",
                self.one,
                "getTransaction",
                "One transaction in full, with its delivery proof once there is one",
                ref("Transaction"),
                refusals=(404, 503),
                spelled_with_slash=True,
            ),
        )

    async def list(self, request: Request) -> HTTPResponse:
        """A page of the list."""
        self._operator.rules()
        given = {name: values[0] for name, values in request.args.items()}
        wanted = _filter(given)
        limit, offset = _page(given)
        if _matches_nothing(given.get("search", "")):
            return reply(to_json({"count": 0, "next": None, "previous": None, "results": []}))
        host = request.headers.getone("host", "localhost")
        place = f"{self._operator.callers.scheme(request)}://{host}/audit/transactions/"
        links = _Links(place, given, limit, offset)
        return reply(await self._operator.database.read(_render_page, wanted, limit, offset, links))

    async def one(self, _request: Request, number: str) -> HTTPResponse:
        """One transaction."""
        self._operator.rules()
        if len(number) > len(str(LARGEST_EON)) or int(number) > LARGEST_EON:
            raise Detail(404, "no such transaction")
        return reply(await self._operator.database.read(_render_one, int(number)))


class _Links:
    """Addresses of the neighbouring pages, at `place`, as the caller reached us."""

    def __init__(self, place: str, given: Mapping[str, str], limit: int, offset: int) -> None:
        self._place = place
        self._given = {k: v for k, v in given.items() if k not in ("limit", "offset")}
        self._limit = limit
        self._offset = offset

    def next(self, count: int) -> str | None:
        """The page after this one, if it holds anything."""
        offset = self._offset + self._limit
        return self._at(offset) if offset < count else None

    def previous(self) -> str | None:
        """The page before this one."""
        return self._at(max(self._offset - self._limit, 0)) if self._offset else None

    def _at(self, offset: int) -> str:
        named = self._given | {"limit": str(self._limit)}
        if offset:
            named["offset"] = str(offset)
        return f"{self._place}?{urlencode(sorted(named.items()))}"


def _render_page(
    session: Session, wanted: TransactionFilter, limit: int, offset: int, links: _Links
) -> str:
    page = list_transactions(session, wanted, limit=limit, offset=offset)
    return to_json(
        {
            "count": page.count,
            "next": links.next(page.count),
            "previous": links.previous(),
            "results": [concise_transaction(line) for line in page.results],
        }
    )


def _render_one(session: Session, transfer_id: int) -> str:
    found = find_transaction(session, transfer_id)
    if found is None:
        raise Detail(404, "no such transaction")
    return render_transaction(found)


def _filter(given: Mapping[str, str]) -> TransactionFilter:
    """Read the filters; empty ones do not filter. Raises shape A with all malformed ones."""
    errors: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for name, read in (("tx_id", UUID), ("eon_number", _number), ("nonce", amount)):
        if given.get(name):
            try:
                found[name] = read(given[name])
            except FieldError as error:
                errors[name] = error.detail
            except ValueError:
                errors[name] = [item("invalid", "malformed")]
    if errors:
        raise FieldFaults(errors)
    return TransactionFilter(
        tx_id=found.get("tx_id"),
        eon=found.get("eon_number"),
        nonce=found.get("nonce"),
        **{name: TRUTH.get(given.get(name, "").lower()) for name in FLAGS},
        search=tuple(_terms(given.get("search", ""))),
        ordering=tuple(given.get("ordering", "").replace(" ", "").split(",")),
    )


def _number(text: str) -> int:
    """Read an eon; one beyond the database's integers has no transactions, as eon 0 has none."""
    number = amount(text)
    return number if number <= LARGEST_EON else 0


def _terms(search: str) -> list[str]:
    terms = search.replace(",", " ").split()[:SEARCH_TERMS_LIMIT]
    return [term.lower().removeprefix("0x") for term in terms]


def _matches_nothing(search: str) -> bool:
    """Whether a term is no part of any address, all of which are hexadecimal digits."""
    return any(not HEXADECIMAL.issuperset(term) for term in _terms(search))


def _page(given: Mapping[str, str]) -> tuple[int, int]:
    limit = _positive(given.get("limit", ""))
    return min(limit or PAGE_DEFAULT, PAGE_CAP), _positive(given.get("offset", ""))


def _positive(text: str) -> int:
    """Read digits, 0 for anything else."""
    return int(text[:LARGEST_OFFSET_DIGITS]) if text.isascii() and text.isdigit() else 0
