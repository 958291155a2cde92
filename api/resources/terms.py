"""The terms of service: which are in force, agreement to them, and their documents."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.faults import BodyFaults, Detail, body_fault, item
from api.forms.body import read_body
from api.forms.fields import address_text, find_address, signature
from api.forms.form import Form
from api.openapi.schemas import ref
from api.operator import Operator
from api.replies import json_reply
from api.routing import Errors, Operation, Resource
from ledger.payloads import seconds
from ledger.refusals import Refusal
from ledger.terms import require_latest_terms, sign_terms
from protocol.address import Address

DOCUMENTS: Final = {
    "terms-of-service": "text/markdown; charset=utf-8",
    "privacy-policy": "text/markdown; charset=utf-8",
    "terms": "application/json",
}
"""Documents that may be served, by name, and what they are."""


class Terms:
    """`/tos/` and the documents themselves."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def resource(self) -> Resource:
        """The routes."""
        return Resource(
            "tos",
            "/tos",
            (
                Operation(
                    "POST",
                    "/",
                    self.sign,
                    "signTerms",
                    "Agree to the terms in force",
                    ref("TosSignatureOut"),
                    status=201,
                    body=ref("TosSignatureIn"),
                    errors=Errors(
                        body=(
                            "LATEST_TOS_ALREADY_SIGNED",
                            "WALLET_NOT_ADMITTED",
                            "INVALID_TOS_SIGNATURE",
                        )
                    ),
                    refusals=(503,),
                    spelled_with_slash=True,
                ),
                Operation(
                    "GET",
                    "/latest",
                    self.latest,
                    "latestTerms",
                    "Digests of the terms in force",
                    ref("TosConfig"),
                    refusals=(503,),
                ),
                Operation(
                    "GET",
                    r"/documents/<document:[a-z-]+>",
                    self.document,
                    "termsDocument",
                    "The text whose digest is signed, where this operator serves it itself",
                    {"type": "string"},
                    refusals=(404,),
                ),
            ),
        )

    async def sign(self, request: Request) -> HTTPResponse:
        """Store an address's agreement."""
        self._operator.rules()
        form = Form(read_body(request))
        spelled = form.take("address", address_text)
        signed = form.take("tos_signature", signature)
        form.require()
        address = find_address(spelled or "")
        if address is None:
            raise BodyFaults([item("WALLET_NOT_ADMITTED")])
        await self._operator.database.write(_sign, address, signed or b"")
        text = (spelled or "").removeprefix("0x")
        return json_reply({"address": text, "tos_signature": None}, 201)

    async def latest(self, _request: Request) -> HTTPResponse:
        """Digests without `0x`: wallets join the texts and hash the result."""
        self._operator.rules()
        return json_reply(await self._operator.database.read(_latest))

    async def document(self, _request: Request, document: str) -> HTTPResponse:
        """Serve a document of the configured folder."""
        folder = self._operator.policy.terms_folder
        kind = DOCUMENTS.get(document)
        if folder is None or kind is None:
            raise Detail(404, "no such document")
        path = folder / f"{document}.{'json' if kind.endswith('json') else 'md'}"
        try:
            text = await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            raise Detail(404, "no such document") from None
        return HTTPResponse(text, content_type=kind)


def _sign(session: Session, address: Address, signed: bytes) -> None:
    try:
        sign_terms(session, address, signed)
    except Refusal as refusal:
        raise body_fault(refusal) from None


def _latest(session: Session) -> dict[str, Any]:
    try:
        terms = require_latest_terms(session)
    except Refusal as refusal:
        raise body_fault(refusal) from None
    return {
        "privacy_policy_digest": bytes(terms.privacy_digest).hex(),
        "terms_of_service_digest": bytes(terms.terms_digest).hex(),
        "time": seconds(terms.time),
    }
