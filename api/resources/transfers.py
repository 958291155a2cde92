"""Payments. The one route that every transfer passes: nothing here depends on how many there are.

Rules are judged in this order: the terms gate (403), the form of the fields with the wallets they
name (shape A), then the ledger's own order: the nonce and the parties (shape B), everything about
money and signatures (shape C).
"""

from __future__ import annotations

from typing import Final

from sanic import HTTPResponse, Request

from api.faults import (
    BodyFaults,
    Fault,
    FieldFaults,
    LedgerFaults,
    TermsFault,
    item,
    operational_fault,
)
from api.forms.body import read_body
from api.forms.fields import amount, eon, signature_object
from api.forms.form import Form
from api.forms.references import UNKNOWN_TOKEN, UNKNOWN_WALLET, wallet_name
from api.openapi.schemas import ref
from api.operator import Operator
from api.parties import explain_malformed
from api.rendering.transfers import render_accepted
from api.replies import reply
from api.routing import Errors, Operation, Resource
from ledger.refusals import Refusal
from ledger.transfers import TransferRefused, TransferRequest

TELLING_LIMIT_S: Final = 1.0
"""How long the answer waits for its notifications to leave first."""

RULES_OF_THE_BODY: Final = (
    "unique",
    "CREDIT_WALLET_NOT_ADMITTED",
    "DEBIT_WALLET_NOT_ADMITTED",
    "DEBIT_CREDIT_WALLET_ADDRESS_MATCH",
    "DEBIT_CREDIT_TOKEN_ADDRESS_MISMATCH",
)
RULES_OF_THE_LEDGER: Final = (
    "EON_NUMBER_OUT_OF_SYNC",
    "DEBIT_WALLET_EXCEEDED_SLA",
    "DEBIT_WALLET_CANNOT_ADD_TRANSACTION",
    "CREDIT_WALLET_CANNOT_ADD_TRANSACTION",
    "DEBIT_WALLET_OVERSPENDING",
    "DEBIT_WALLET_BALANCE_MARKER_EXCEED_BALANCE",
    "INVALID_DEBIT_BALANCE_SIGNATURE",
    "INVALID_DEBIT_SIGNATURE",
)
_BODY_CODES: Final = frozenset(RULES_OF_THE_BODY)


class Transfers:
    """`POST /transfer/`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def resource(self) -> Resource:
        """The routes."""
        return Resource(
            "transfer",
            "/transfer",
            (
                Operation(
                    "POST",
                    "/",
                    self.send,
                    "sendTransfer",
                    "Pay: a transfer, countersigned and committed before the answer",
                    ref("Transaction"),
                    status=201,
                    body=ref("TransferIn"),
                    errors=Errors(
                        fields=(UNKNOWN_TOKEN, UNKNOWN_WALLET),
                        body=RULES_OF_THE_BODY,
                        ledger=RULES_OF_THE_LEDGER,
                    ),
                    refusals=(403, 429, 503),
                    spelled_with_slash=True,
                ),
            ),
        )

    async def send(self, request: Request) -> HTTPResponse:
        """Append a transfer and answer with it, countersigned."""
        commits = self._operator.commits()
        body = read_body(request)
        form = Form(body)
        transfer = _read_transfer(form)
        if transfer is None:
            raise await explain_malformed(self._operator, body, form)
        self._operator.limits.require_wallet(request, transfer.debit_address)
        try:
            accepted = await commits.submit(transfer)
        except TransferRefused as refused:
            raise _fault(refused.reasons) from None
        except Refusal as refusal:
            raise _fault((refusal,)) from None
        await self._operator.hub.until_told(
            accepted.id,
            (accepted.recipient.stream, accepted.sender.stream),
            TELLING_LIMIT_S,
        )
        return reply(render_accepted(accepted), 201)


def _read_transfer(form: Form) -> TransferRequest | None:
    """Read the body's fields; None if one of them is bad."""
    debit = form.take("wallet", wallet_name)
    value = form.take("amount", amount)
    number = form.take("eon_number", eon)
    credit = form.take("recipient", wallet_name)
    nonce = form.take("nonce", amount)
    state_signature = form.take("debit_signature", signature_object)
    marker_signature = form.take("debit_balance_signature", signature_object)
    marker = form.take("debit_balance", amount)
    if (
        form.errors
        or debit is None
        or value is None
        or number is None
        or credit is None
        or nonce is None
        or state_signature is None
        or marker_signature is None
        or marker is None
    ):
        return None
    return TransferRequest(
        debit.token,
        debit.address,
        credit.token,
        credit.address,
        value,
        number,
        nonce,
        marker,
        marker_signature,
        state_signature,
    )


def _fault(reasons: tuple[Refusal, ...]) -> Fault:
    """The answer to a refusal, in the shape of the step that refused."""
    first = reasons[0]
    operational = operational_fault(first)
    if operational is not None:
        return operational
    if first.code == "INVALID_TOS_SIGNATURE":
        return TermsFault(first.message or "the latest terms of service must be signed first")
    if first.field is not None:
        return FieldFaults(
            {
                reason.field: [item(reason.code, reason.message)]
                for reason in reasons
                if reason.field is not None
            }
        )
    items = [item(reason.code, reason.message) for reason in reasons]
    return BodyFaults(items) if first.code in _BODY_CODES else LedgerFaults(items)
