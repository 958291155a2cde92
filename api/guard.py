"""The bearer secret of the administration: who may see and do what wallets may not."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from sanic import Request

from api.faults import Detail
from setting_types import Secret

SCHEME: Final = "bearer"
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


class AdminGuard:
    """Lets a request pass that carries `Authorization: Bearer <secret>`.

    Without a secret there is no administration: its routes answer as if they were not there.
    """

    def __init__(self, secret: Secret | None) -> None:
        self._digest = None if secret is None else _digest(secret.reveal())

    def __call__(self, request: Request) -> None:
        """Raises `Detail`: 404 if no secret is set, 401 if the request's is absent or wrong."""
        if self._digest is None:
            raise Detail(404, "no such resource")
        scheme, _, given = request.headers.getone("authorization", "").partition(" ")
        # Digests: a comparison of the texts themselves would tell the secret's length.
        is_right = hmac.compare_digest(_digest(given.strip()), self._digest)
        if scheme.lower() != SCHEME or not is_right:
            raise Detail(401, "the administration's secret is missing or wrong", headers=CHALLENGE)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
