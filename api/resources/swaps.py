"""Orders: placing one, and the three requests that end it.

Placing is judged as payments are: the terms gate (403), the fields (shape A), the nonce and the
parties (shape B), then everything about pair, money and signatures (shape C). A trader must always
be able to end an order, so nothing stands before the rules of those requests.
"""

from __future__ import annotations

from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.faults import (
    BodyFaults,
    Detail,
    Fault,
    FieldFaults,
    LedgerFaults,
    TermsFault,
    item,
    operational_fault,
)
from api.forms.body import read_body
from api.forms.fields import LARGEST_EON, signature_object
from api.forms.form import Form
from api.forms.orders import read_order, signatures
from api.forms.references import UNKNOWN_TOKEN, UNKNOWN_WALLET
from api.openapi.schemas import ref
from api.operator import Operator
from api.parties import explain_malformed
from api.rendering.transactions import render_transaction
from api.replies import json_reply, reply
from api.routing import Errors, Operation, Resource
from ledger.identities import IdentityCache
from ledger.orders.ending import cancel_order, finalise_order, freeze_order
from ledger.orders.placement import PlacedOrder, place_order
from ledger.orders.requests import OrderRefused
from ledger.reading.transactions import transactions_by_id
from ledger.refusals import Refusal

TELLING_LIMIT_S: Final = 0.15
"""How long the answer waits for its notifications: matching begins soon after the commit, and
never before the answer has left."""

RULES_OF_THE_BODY: Final = (
    "unique",
    "SWAPPING_DISABLED",
    "TOO_MANY_FUTURE_SIGNATURES",
    "WRONG_NUMBER_OF_SIGNATURES",
    "DEBIT_WALLET_NOT_ADMITTED",
    "CREDIT_WALLET_NOT_ADMITTED",
    "DEBIT_CREDIT_WALLET_ADDRESS_MISMATCH",
    "DEBIT_CREDIT_TOKEN_ADDRESS_MATCH",
)
RULES_OF_THE_LEDGER: Final = (
    "TOKEN_PAIR_BLOCKED",
    "EON_NUMBER_OUT_OF_SYNC",
    "DEBIT_WALLET_CANNOT_ADD_TRANSACTION",
    "CREDIT_WALLET_CANNOT_ADD_TRANSACTION",
    "DEBIT_WALLET_OVERSPENDING",
    "DEBIT_WALLET_BALANCE_AMOUNT_MISMATCH",
    "CREDIT_WALLET_BALANCE_NOT_ZERO",
    "INVALID_DEBIT_BALANCE_SIGNATURE",
    "INVALID_CREDIT_BALANCE_SIGNATURE",
    "INVALID_DEBIT_SIGNATURE",
    "INVALID_CREDIT_SIGNATURE",
    "INVALID_CREDIT_FULFILLMENT_SIGNATURE",
    "INVALID_FUTURE_DEBIT_SIGNATURE",
    "INVALID_FUTURE_CREDIT_SIGNATURE",
    "INVALID_FUTURE_CREDIT_FULFILLMENT_SIGNATURE",
)
RULES_OF_FINALISING: Final = (
    "SWAP_NOT_FULFILLED",
    "SWAP_ALREADY_FROZEN",
    "SWAP_ALREADY_VOIDED",
    "SWAP_ALREADY_CLOSED",
    "SWAP_ALREADY_FINALIZED",
    "WRONG_NUMBER_OF_CREDIT_SIGNATURES",
    "INVALID_CREDIT_SIGNATURE",
    "INVALID_FUTURE_CREDIT_SIGNATURE",
)
RULES_OF_FREEZING: Final = (
    "SWAP_ALREADY_FULFILLED",
    "SWAP_ALREADY_FROZEN",
    "SWAP_ALREADY_VOIDED",
    "SWAP_ALREADY_CLOSED",
    "INVALID_FREEZING_SIGNATURE",
)
RULES_OF_CANCELLING: Final = (
    "SWAP_NOT_FROZEN",
    "SWAP_ALREADY_CLOSED",
    "MISSING_FREEZING_SIGNATURE",
    "SWAP_ALREADY_CANCELLED",
    "WRONG_NUMBER_OF_DEBIT_SIGNATURES",
    "WRONG_NUMBER_OF_CREDIT_SIGNATURES",
    "INVALID_DEBIT_SIGNATURE",
    "INVALID_CREDIT_SIGNATURE",
    "INVALID_FUTURE_DEBIT_SIGNATURE",
    "INVALID_FUTURE_CREDIT_SIGNATURE",
)
_BODY_CODES: Final = frozenset(RULES_OF_THE_BODY)


class Swaps:
    """`POST /swap/` and `PUT /swap/<id>/finalize|freeze|cancel`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._identities = IdentityCache()

    def resource(self) -> Resource:
        """The routes."""
        return Resource("swap", "/swap", (self._placing(), *self._endings()))

    def _placing(self) -> Operation:
        return Operation(
            "POST",
            "/",
            self.place,
            "placeOrder",
            "Place an order, with signatures for every eon in which it may live",
            ref("Transaction"),
            status=201,
            body=ref("SwapIn"),
            errors=Errors(
                fields=("INVALID_DEBIT_AMOUNT", UNKNOWN_TOKEN, UNKNOWN_WALLET),
                body=RULES_OF_THE_BODY,
                ledger=RULES_OF_THE_LEDGER,
            ),
            refusals=(403, 503),
            spelled_with_slash=True,
        )

    def _endings(self) -> tuple[Operation, ...]:
        return (
            Operation(
                "PUT",
                "/<number:NUMBER>/finalize",
                self.finalise,
                "finalizeOrder",
                "Finalise a fulfilled order: its wallets are free at once",
                ref("FinalizeOut"),
                body=ref("FinalizeIn"),
                errors=Errors(ledger=RULES_OF_FINALISING),
                refusals=(404, 503),
            ),
            Operation(
                "PUT",
                "/<number:NUMBER>/freeze",
                self.freeze,
                "freezeOrder",
                "Stop an order from matching; its matched amounts do not move any more",
                ref("FreezeOut"),
                body=ref("FreezeIn"),
                errors=Errors(ledger=RULES_OF_FREEZING),
                refusals=(404, 503),
            ),
            Operation(
                "PUT",
                "/<number:NUMBER>/cancel",
                self.cancel,
                "cancelOrder",
                "Cancel a frozen order: its wallets are free at once",
                ref("CancelOut"),
                body=ref("CancelIn"),
                errors=Errors(ledger=RULES_OF_CANCELLING),
                refusals=(404, 503),
            ),
        )

    async def place(self, request: Request) -> HTTPResponse:
        """Store an order and answer with its copy of the current eon."""
        rules = self._operator.rules()
        database = self._operator.database
        body = read_body(request)
        form = Form(body)
        order = read_order(form, body)
        if order is None:
            raise await explain_malformed(self._operator, body, form)
        self._operator.limits.require_wallet(request, order.debit_address)
        try:
            placed: PlacedOrder = await database.write(place_order, rules, self._identities, order)
        except Refusal as refusal:
            raise _placement_fault(refusal) from None
        await self._operator.hub.until_told(placed.transfer_id, placed.streams[:2], TELLING_LIMIT_S)
        return reply(await database.read(_render, placed.transfer_id), 201)

    async def finalise(self, request: Request, number: str) -> HTTPResponse:
        """End a fulfilled order."""
        form = Form(read_body(request))
        signed = form.take("finalization_signature", signatures)
        form.require()
        return await self._end(finalise_order, number, signed or ())

    async def freeze(self, request: Request, number: str) -> HTTPResponse:
        """Stop an order from matching."""
        form = Form(read_body(request))
        signed = form.take("freezing_signature", signature_object)
        form.require()
        return await self._end(freeze_order, number, signed or b"")

    async def cancel(self, request: Request, number: str) -> HTTPResponse:
        """End a frozen order."""
        form = Form(read_body(request))
        debit = form.take("sender_cancellation_signature", signatures)
        credit = form.take("recipient_cancellation_signature", signatures)
        form.require()
        return await self._end(cancel_order, number, debit or (), credit or ())

    async def _end(self, action: Any, number: str, *signed: Any) -> HTTPResponse:
        rules = self._operator.rules()
        if len(number) > len(str(LARGEST_EON)) or int(number) > LARGEST_EON:
            raise Detail(404, "no such order")
        try:
            answer = await self._operator.database.write(action, rules, int(number), *signed)
        except Refusal as refusal:
            fault = operational_fault(refusal)
            raise fault or LedgerFaults([item(refusal.code, refusal.message)]) from None
        if answer is None:
            raise Detail(404, "no such order")
        return json_reply(answer)


def _render(session: Session, transfer_id: int) -> str:
    return render_transaction(transactions_by_id(session, [transfer_id])[transfer_id])


def _placement_fault(refusal: Refusal) -> Fault:
    """The answer to a refused order, in the shape of the step that refused."""
    operational = operational_fault(refusal)
    if operational is not None:
        return operational
    if refusal.code == "INVALID_TOS_SIGNATURE":
        return TermsFault(refusal.message or "the latest terms of service must be signed first")
    reasons = refusal.reasons if isinstance(refusal, OrderRefused) else (refusal,)
    if refusal.field is not None:
        return FieldFaults(
            {
                reason.field: [item(reason.code, reason.message)]
                for reason in reasons
                if reason.field is not None
            }
        )
    items = [item(reason.code, reason.message) for reason in reasons]
    return BodyFaults(items) if refusal.code in _BODY_CODES else LedgerFaults(items)
