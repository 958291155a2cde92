"""Requests with an `Idempotency-Key`: carried out once, answered alike for a day.

The first answer is stored beside the ledger, not in its transaction: if the process dies in
between, the repetition is judged anew a minute later, and `unique` then says that the first was
carried out.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.faults import BodyFaults, Fault, Unavailable, item
from api.readers import Database
from api.replies import fault_reply, reply
from ledger.idempotency import (
    IN_PROGRESS,
    FirstAnswer,
    claim_key,
    release_key,
    store_answer,
)
from ledger.refusals import Refusal

HEADER: Final = "idempotency-key"
LONGEST_KEY: Final = 255
REPLAYED: Final = {"Idempotent-Replayed": "true"}
SERVER_ERRORS: Final = 500
TOO_MANY: Final = 429


class Idempotency:
    """Keeps first answers in the ledger's database, whichever process gave them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def serve(
        self, request: Request, carry_out: Callable[[], Awaitable[HTTPResponse]]
    ) -> HTTPResponse:
        """Answer with the first answer, or carry the request out and keep what it was answered."""
        key = request.headers.getone(HEADER)
        if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
            text = f"1 to {LONGEST_KEY} printable ASCII characters"
            raise BodyFaults([item("IDEMPOTENCY_KEY_INVALID", text)])
        path = request.path.rstrip("/").encode()
        digest = hashlib.sha256(path + b"\0" + request.body).digest()
        first = await self._database.write(_claim, key, digest)
        if first is not None:
            return reply(first.body, first.status, dict(REPLAYED))
        # Shielded: a caller that goes away must find the answer when it comes back.
        return await asyncio.shield(asyncio.ensure_future(self._first(key, carry_out)))

    async def _first(
        self, key: str, carry_out: Callable[[], Awaitable[HTTPResponse]]
    ) -> HTTPResponse:
        try:
            response = await carry_out()
        except Fault as fault:
            response = fault_reply(fault)
        except Exception:
            await self._database.write(release_key, key)
            raise
        if response.status >= SERVER_ERRORS or response.status == TOO_MANY:
            await self._database.write(release_key, key)
        else:
            answer = FirstAnswer(response.status, (response.body or b"").decode())
            await self._database.write(store_answer, key, answer)
        return response


def _claim(session: Session, key: str, digest: bytes) -> FirstAnswer | None:
    try:
        return claim_key(session, key, digest)
    except Refusal as refusal:
        if refusal.code == IN_PROGRESS:
            raise Unavailable(refusal.message, retry_after_s=1) from None
        raise BodyFaults([item(refusal.code, refusal.message)]) from None
