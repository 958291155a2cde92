"""Service level agreements: their price, their purchase with a transfer, and who has one."""

from __future__ import annotations

from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.faults import Detail, body_fault
from api.forms.body import read_body
from api.forms.fields import eon as integer
from api.forms.fields import find_address
from api.forms.form import Form
from api.openapi.schemas import ref
from api.operator import Operator
from api.replies import json_reply
from api.routing import Errors, Operation, Resource
from ledger.payloads import seconds
from ledger.refusals import Refusal
from ledger.sla import buy_agreement, running_agreement
from models import ServiceLevelAgreement
from protocol.address import Address, checksum_address

RULES_OF_THE_PURCHASE: Final = (
    "TRANSFER_DOES_NOT_EXIST",
    "TRANSFER_MADE_TO_WRONG_WALLET",
    "TRANSFER_MADE_WITH_WRONG_TOKEN",
    "SLA_ALREADY_EXISTS_FOR_TRANSFER",
    "SLA_STILL_VALID_FOR_WALLET",
)
NOBODY: Final[Address] = b""
"""Stands for a text that is no address: it has paid for nothing."""


class ServiceLevels:
    """`GET /sla/`, `GET` and `POST /sla/<wallet>`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def resource(self) -> Resource:
        """The routes."""
        path = "/<wallet:WORD>"
        return Resource(
            "sla",
            "/sla",
            (
                Operation(
                    "GET",
                    "/",
                    self.price,
                    "agreementPrice",
                    "What an agreement costs, and the transfers an eon that are free without one",
                    ref("SlaInfo"),
                    refusals=(503,),
                    spelled_with_slash=True,
                ),
                Operation(
                    "GET",
                    path,
                    self.status,
                    "findAgreement",
                    "The running agreement of an address, the one that ends last",
                    ref("Sla"),
                    refusals=(404, 503),
                ),
                Operation(
                    "POST",
                    path,
                    self.buy,
                    "buyAgreement",
                    "Turn a complete transfer by this address into an agreement",
                    ref("Sla"),
                    status=201,
                    body=ref("SlaIn"),
                    errors=Errors(body=RULES_OF_THE_PURCHASE),
                    refusals=(503,),
                ),
            ),
        )

    async def price(self, _request: Request) -> HTTPResponse:
        """The price, whom to pay, and the quota of those who do not."""
        rules = self._operator.rules()
        return json_reply(
            {
                "token": checksum_address(rules.sla_token),
                "recipient": checksum_address(rules.sla_recipient),
                "cost": str(rules.sla_price),
                "limit": rules.sla_threshold,
            }
        )

    async def status(self, _request: Request, wallet: str) -> HTTPResponse:
        """404 means that the address has none."""
        self._operator.rules()
        address = find_address(wallet)
        return json_reply(await self._operator.database.read(_running, address or NOBODY))

    async def buy(self, request: Request, wallet: str) -> HTTPResponse:
        """The address in the path must be the payer's."""
        self._operator.rules()
        form = Form(read_body(request))
        transfer_id = form.take("transfer_id", integer)
        form.require()
        address = find_address(wallet) or NOBODY
        agreement = await self._operator.database.write(self._buy, address, transfer_id or 0)
        return json_reply(agreement, 201)

    def _buy(self, session: Session, address: Address, transfer_id: int) -> dict[str, Any]:
        try:
            return _agreement(buy_agreement(session, self._operator.rules(), address, transfer_id))
        except Refusal as refusal:
            raise body_fault(refusal) from None


def _running(session: Session, address: Address) -> dict[str, Any]:
    agreement = running_agreement(session, address)
    if agreement is None:
        raise Detail(404, "no agreement")
    return _agreement(agreement)


def _agreement(agreement: ServiceLevelAgreement) -> dict[str, Any]:
    return {"expiry": seconds(agreement.expiry), "transfer_id": agreement.transfer_id}
