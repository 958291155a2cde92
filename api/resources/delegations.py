"""Withdrawals that a wallet signs for and has us request: the answers are bare JSON strings."""

from __future__ import annotations

from typing import Final

from sanic import HTTPResponse, Request

from api.faults import Fault, FieldFaults, operational_fault
from api.forms.body import read_body
from api.forms.fields import address_text, amount, find_address, signature
from api.forms.form import Form
from api.openapi.schemas import ref
from api.operator import Operator
from api.replies import json_reply
from api.routing import Operation, Resource
from ledger.delegations import UNKNOWN_WALLET, DelegationRequest, accept_delegation
from ledger.refusals import Refusal

ACCEPTED: Final = "Ok"
NOBODY: Final = b""
"""Stands for a text that is no address: no signature is its, and no wallet has it."""


class Delegations:
    """`POST /transfer/delegated_withdrawal`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def resource(self) -> Resource:
        """The route."""
        return Resource(
            "delegation",
            "/transfer",
            (
                Operation(
                    "POST",
                    "/delegated_withdrawal",
                    self.request,
                    "delegatedWithdrawal",
                    "Have the operator request a withdrawal that the wallet signed for",
                    {"type": "string"},
                    body=ref("DelegatedWithdrawalIn"),
                    refusals=(404, 503),
                    other_answers={400: ref("DelegationRefused")},
                ),
            ),
        )

    async def request(self, request: Request) -> HTTPResponse:
        """Take a delegation over: the request event on chain will tell of its success."""
        rules = self._operator.rules()
        delegation = _read(Form(read_body(request)))
        try:
            await self._operator.database.write(accept_delegation, rules, delegation)
        except Refusal as refusal:
            operational = operational_fault(refusal)
            status = 404 if refusal.code == UNKNOWN_WALLET else 400
            raise operational or Fault(status, refusal.message) from None
        return json_reply(ACCEPTED)


def _read(form: Form) -> DelegationRequest:
    signed = form.take("signature", signature)
    holder, token = form.take("wallet", address_text), form.take("token", address_text)
    value, expiry = form.take("amount", amount), form.take("expiry", amount)
    if signed is None or holder is None or token is None or value is None or expiry is None:
        raise FieldFaults(form.errors)
    return DelegationRequest(
        token=find_address(token) or NOBODY,
        holder=find_address(holder) or NOBODY,
        amount=value,
        expiry=expiry,
        signature=signed,
    )
