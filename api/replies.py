"""How every answer leaves: JSON without a charset, the headers that browsers and pools need."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, Final

from sanic import HTTPResponse, Request
from sanic.http import Http

from api.faults import Detail, Fault
from api.policy import KEEP_ALIVE_HINT_S, ApiPolicy

JSON: Final = "application/json"
REQUEST_ID_LENGTH: Final = 64
TRACE: Final = re.compile("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
"""The header `traceparent` of W3C's Trace Context; its first long number names the trace."""
PREFLIGHT: Final = {
    "Access-Control-Allow-Headers": "accept, accept-encoding, authorization, content-type, dnt, "
    "idempotency-key, origin, user-agent, x-csrftoken, x-requested-with",
    "Access-Control-Allow-Methods": "DELETE, GET, OPTIONS, PATCH, POST, PUT",
    "Access-Control-Max-Age": "86400",
}
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def to_json(value: Any) -> str:
    """Write compact JSON."""
    return _encode(value)


def reply(body: str, status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """Answer with JSON that is rendered already."""
    return HTTPResponse(body, status, headers, JSON)


def json_reply(
    value: Any, status: int = 200, headers: dict[str, str] | None = None
) -> HTTPResponse:
    """Answer with a value as JSON."""
    return reply(_encode(value), status, headers)


def fault_reply(fault: Fault) -> HTTPResponse:
    """Answer with an error."""
    return json_reply(fault.body, fault.status, fault.headers)


def require_acceptable(request: Request) -> None:
    """Refuse a request that cannot be answered with JSON: 406; another `format` than json: 404."""
    accept = request.headers.getone("accept", "*/*")
    if "*/*" not in accept and JSON not in accept and "application/*" not in accept and accept:
        raise Detail(406, "only application/json is served")
    if request.query_string and request.args.get("format", "json") != "json":
        raise Detail(404, "no such format")


def is_preflight(request: Request) -> bool:
    """Tell whether a browser asks for leave to call."""
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


class Finish:
    """Adds to each answer what all answers carry; errors too, or browsers could not read them."""

    def __init__(self, policy: ApiPolicy) -> None:
        self._all = policy.all_origins_allowed
        self._allowed = policy.allowed_origins
        self._keep_alive = f"timeout={KEEP_ALIVE_HINT_S}"
        self.is_parting = False
        """Whether the server ends: connections are closed with the answers that are still given."""

    def __call__(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        """Add CORS (the origin echoed, never `*`), connection and request-id headers."""
        headers = response.headers
        origin = request.headers.getone("origin", None)
        if not self._all or origin is not None:
            headers["Vary"] = "Origin"
        if origin is not None and (origin in self._allowed or (self._all and origin.isascii())):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
        headers["X-Frame-Options"] = "SAMEORIGIN"
        if not self.is_parting:
            headers["Keep-Alive"] = self._keep_alive
        elif isinstance(request.stream, Http):
            request.stream.keep_alive = False
        headers["X-Request-Id"] = request_id(request)
        return response


def request_id(request: Request) -> str:
    """The caller's id of the request if it is a plain word, its trace's, or one of our own."""
    known: str | None = getattr(request.ctx, "request_id", None)
    if known is None:
        given = request.headers.getone("x-request-id", "")
        plain = given.isascii() and given.replace("-", "").isalnum()
        if not plain or len(given) > REQUEST_ID_LENGTH:
            traced = TRACE.fullmatch(request.headers.getone("traceparent", ""))
            given = secrets.token_hex(8) if traced is None else traced[1]
        known = request.ctx.request_id = given
    return known
