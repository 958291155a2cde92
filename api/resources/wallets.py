"""Wallets: who is registered, and everything about a wallet in an eon."""

from __future__ import annotations

from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.faults import Detail, FieldFaults, item
from api.forms.fields import find_address
from api.openapi.schemas import query, ref
from api.operator import Operator
from api.rendering.proofs import registration
from api.rendering.wallets import render_wallet_state
from api.replies import json_reply, reply
from api.routing import Errors, Operation
from ledger.reading.wallets import find_registration, wallet_state
from protocol.address import Address

LAST_EON: Final = 2**62
"""Stands for every eon beyond: nothing will ever be known of it."""
DIGITS_OF_LAST_EON: Final = 18


class Wallets:
    """`GET /audit/<eon>/<token>/<wallet>/` and `GET /audit/<token>/<wallet>/whois`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def operations(self) -> tuple[Operation, ...]:
        """The routes."""
        return (
            Operation(
                "GET",
                "/<eon:NUMBER>/<token:ADDRESS>/<wallet:ADDRESS>",
                self.state,
                "walletState",
                "All that the operator knows of a wallet in an eon",
                ref("WalletState"),
                query=(query("transfer_id", "Only transactions from this id on."),),
                errors=Errors(fields=("invalid",)),
                refusals=(404, 503),
                spelled_with_slash=True,
            ),
            Operation(
                "GET",
                "/<token:ADDRESS>/<wallet:ADDRESS>/whois",
                self.whois,
                "whois",
                "A wallet's admission",
                ref("Admission"),
                refusals=(404, 503),
            ),
        )

    async def state(self, request: Request, eon: str, token: str, wallet: str) -> HTTPResponse:
        """An eon of the future has an empty state; it is not an error."""
        number = int(eon) if len(eon) <= DIGITS_OF_LAST_EON else LAST_EON
        since = _transfer_id(request.args.get("transfer_id", ""))
        return reply(
            await self.render_state(_address(token), _address(wallet), number, since=since)
        )

    async def render_state(
        self, token: Address, wallet: Address, eon: int, *, since: int = 0
    ) -> str:
        """Render a wallet's state. Raises 404 for an unknown wallet."""
        self._operator.rules()
        return await self._operator.database.read(_render_state, token, wallet, eon, since)

    async def whois(self, _request: Request, token: str, wallet: str) -> HTTPResponse:
        """Found as soon as it is registered."""
        self._operator.rules()
        found = await self._operator.database.read(
            find_registration, _address(token), _address(wallet)
        )
        if found is None:
            raise Detail(404, "no such wallet")
        return json_reply(registration(found))


def _render_state(session: Session, token: Address, wallet: Address, eon: int, since: int) -> str:
    state = wallet_state(session, token, wallet, eon, from_transfer_id=since)
    if state is None:
        raise Detail(404, "no such wallet")
    return render_wallet_state(state)


def _address(spelled: str) -> Address:
    address = find_address(spelled)
    if address is None:
        raise Detail(404, "no such wallet")
    return address


def _transfer_id(spelled: Any) -> int:
    if not spelled:
        return 0
    if not spelled.isascii() or not spelled.isdigit():
        raise FieldFaults({"transfer_id": [item("invalid", "not an integer")]})
    return int(spelled) if len(spelled) <= DIGITS_OF_LAST_EON else LAST_EON
