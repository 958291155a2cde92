"""Registration of wallets: one, or several that are all admitted or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sanic import HTTPResponse, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.faults import FieldFaults, body_fault, item
from api.forms.body import read_body
from api.forms.fields import address_text, find_address, signature_object
from api.forms.form import FieldError, Form
from api.forms.references import UNKNOWN_TOKEN
from api.openapi.schemas import ref
from api.operator import Operator
from api.replies import json_reply
from api.routing import Errors, Operation, Resource
from ledger.admission import AdmissionRequest, admit, admit_bulk
from ledger.refusals import Refusal
from models import Token, Wallet

NO_TOKEN = b""
"""Stands for a token in no known form: the ledger does not know it either."""


class Admission:
    """`POST /admission/` and `POST /admission/bulk/`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def resource(self) -> Resource:
        """The routes."""
        common = ("INVALID_ADMISSION_SIGNATURE", "INVALID_TOS_SIGNATURE")
        return Resource(
            "admission",
            "/admission",
            (
                Operation(
                    "POST",
                    "/",
                    self.one,
                    "admitWallet",
                    "Register one wallet for one token",
                    ref("AdmissionOut"),
                    status=201,
                    body=ref("AdmissionIn"),
                    errors=Errors(
                        fields=(UNKNOWN_TOKEN,),
                        body=("WALLET_BLACKLISTED", "WALLET_ALREADY_ADMITTED", *common),
                    ),
                    refusals=(429, 503),
                    spelled_with_slash=True,
                ),
                Operation(
                    "POST",
                    "/bulk",
                    self.bulk,
                    "admitWallets",
                    "Register several wallets; known and barred ones are skipped",
                    ref("BulkAdmissionOut"),
                    status=201,
                    body=ref("BulkAdmissionIn"),
                    errors=Errors(body=("TOO_MANY_ADMISSION_REQUESTS", UNKNOWN_TOKEN, *common)),
                    refusals=(429, 503),
                    spelled_with_slash=True,
                ),
            ),
        )

    async def one(self, request: Request) -> HTTPResponse:
        """Admit one wallet; its notification follows."""
        self._operator.rules()
        self._operator.limits.require_registration(request)
        body = read_body(request)
        form = Form(body)
        admission = _read(form, needs_token=True)
        if admission is None:
            await self._operator.database.read(_report_unknown_token, body, form)
            raise FieldFaults(form.errors)
        return json_reply(await self._operator.database.write(self._admit, admission), 201)

    async def bulk(self, request: Request) -> HTTPResponse:
        """Admit several wallets; their notifications follow in the order of the body."""
        self._operator.rules()
        self._operator.limits.require_registration(request)
        form = Form(read_body(request))
        admissions = form.take("admissions", _read_list)
        form.require()
        answer = await self._operator.database.write(self._admit_bulk, admissions or [])
        return json_reply({"admissions": answer}, 201)

    def _admit(self, session: Session, admission: AdmissionRequest) -> dict[str, Any]:
        try:
            wallet = admit(session, self._operator.rules(), admission)
        except Refusal as refusal:
            raise body_fault(refusal) from None
        return _echo(session, [wallet])[0]

    def _admit_bulk(
        self, session: Session, admissions: Sequence[AdmissionRequest]
    ) -> list[dict[str, Any]]:
        try:
            wallets = admit_bulk(session, self._operator.rules(), admissions)
        except Refusal as refusal:
            raise body_fault(refusal) from None
        return _echo(session, wallets)


def _echo(session: Session, wallets: Sequence[Wallet]) -> list[dict[str, Any]]:
    """The body sent back: addresses as stored, signatures nulled."""
    ids = {wallet.token_id for wallet in wallets}
    rows = session.execute(select(Token.id, Token.text).where(Token.id.in_(ids)))
    tokens = {row.id: row.text for row in rows}
    return [
        {
            "authorization": None,
            "address": f"0x{wallet.text}",
            "token": f"0x{tokens[wallet.token_id]}",
            "tos_signature": None,
        }
        for wallet in wallets
    ]


def _read(form: Form, *, needs_token: bool) -> AdmissionRequest | None:
    """Read one entry; None if a field is bad. `needs_token`: a malformed token is a bad field."""
    authorization = form.take("authorization", signature_object)
    spelled_token = form.take("token", address_text)
    spelled = form.take("address", address_text)
    terms_signature = form.take("tos_signature", signature_object)
    token = find_address(spelled_token or "")
    address = find_address(spelled or "")
    if spelled_token is not None and token is None and needs_token:
        form.add("token", UNKNOWN_TOKEN)
    if spelled is not None and address is None:
        form.add("address", "invalid", "an address has 40 hexadecimal digits")
    if (
        form.errors
        or authorization is None
        or spelled is None
        or address is None
        or terms_signature is None
    ):
        return None
    return AdmissionRequest(
        token or NO_TOKEN, address, spelled.removeprefix("0x"), authorization, terms_signature
    )


def _read_list(value: Any) -> list[AdmissionRequest]:
    """Read the entries; good ones appear as `{}` beside the errors of bad ones."""
    if not isinstance(value, list):
        raise FieldError({"non_field_errors": [item("not_a_list", "not a list")]})
    entries: list[AdmissionRequest] = []
    errors: list[dict[str, Any]] = []
    for element in value:
        try:
            form = Form.of(element)
            entry = _read(form, needs_token=False)
        except FieldError as error:
            errors.append(error.detail)
            continue
        errors.append(form.errors)
        if entry is not None:
            entries.append(entry)
    if any(errors):
        raise FieldError(errors)
    return entries


def _report_unknown_token(session: Session, body: dict[str, Any], form: Form) -> None:
    """Add an unknown token to the bad fields: all of them are reported together."""
    if "token" in form.errors:
        return
    token = find_address(str(body["token"]))
    known = select(Token.id).where(Token.address == token, Token.state == "active")
    if session.scalar(known) is None:
        form.add("token", UNKNOWN_TOKEN)
