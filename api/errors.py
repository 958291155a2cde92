"""What the framework refuses before a handler sees it, and what nobody foresaw, as shape D."""

from __future__ import annotations

from typing import Any, Final

import psycopg2
from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import MethodNotAllowed, SanicException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.faults import Detail, Fault, Unavailable
from api.replies import PREFLIGHT, Finish, fault_reply, is_preflight, reply, request_id
from logs import bind, get_logger
from protocol.signing import SignerUnavailable

log = get_logger(__name__)

# A connection that cannot even be opened raises the driver's own errors, not SQLAlchemy's.
OUT_OF_REACH: Final = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
)


def install(app: Sanic[Any, Any], finish: Finish) -> None:
    """Answer every exception of `app` in the wire's shapes."""

    async def answer(request: Request, exception: Exception) -> HTTPResponse:
        if is_preflight(request):
            return finish(request, reply("", headers=PREFLIGHT))
        with bind(request_id=request_id(request)):
            return finish(request, fault_reply(_fault(request, exception)))

    app.error_handler.add(Exception, answer)


def _fault(request: Request, exception: Exception) -> Fault:
    if isinstance(exception, Fault):
        return exception
    if isinstance(exception, MethodNotAllowed):
        return Detail(405, "method not allowed", headers=exception.headers)
    if isinstance(exception, SanicException) and exception.status_code < 500:
        return Detail(exception.status_code, _text(exception))
    if isinstance(exception, OUT_OF_REACH):
        log.warning("the ledger is out of reach", reason=type(exception).__name__)
        return Unavailable("the ledger is out of reach")
    if isinstance(exception, SignerUnavailable):
        log.warning("nobody countersigns", reason=str(exception))
        return Unavailable("the operator's signer does not answer")
    log.error(
        "a request failed",
        method=request.method,
        path=request.path,
        exc_info=exception,
    )
    return Detail(500, "internal error")


def _text(exception: SanicException) -> str:
    return "no such resource" if exception.status_code == 404 else str(exception)
