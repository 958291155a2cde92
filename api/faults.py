"""Error answers in the shapes that wallets decode.

| shape | status | body |
| --- | --- | --- |
| A | 400 | `{"field": [item]}`, all bad fields together; nested for objects and lists |
| B | 400 | `{"non_field_errors": [item]}`, rules over the whole body |
| C | 400 | `[item]`, rules judged while the ledger is updated |
| D | 4xx, 5xx | `{"detail": "text"}` |
| E | 403 | `{"code": "INVALID_TOS_SIGNATURE", "message": "text"}` |

An item is `{"message": "text", "code": "CODE"}`; nothing may parse the message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ledger.refusals import Refusal

RETRY_AFTER_S: Final = 5
REGISTRATION_RETRY_AFTER_S: Final = 60
UNAVAILABLE: Final = frozenset({"INTAKE_CLOSED", "TERMS_UNAVAILABLE"})
REGISTRATION_LIMIT: Final = "REGISTRATION_LIMIT_REACHED"


def item(code: str, message: str = "") -> dict[str, str]:
    """One error item of the wire."""
    return {"message": message, "code": code}


class Fault(Exception):
    """An error answer: `status`, a JSON `body` and `headers` of its own."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class FieldFaults(Fault):
    """Shape A: fields that are malformed or name nothing."""

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__(400, dict(errors))


class BodyFaults(Fault):
    """Shape B: rules over the whole body."""

    def __init__(self, items: Iterable[dict[str, str]]) -> None:
        super().__init__(400, {"non_field_errors": list(items)})


class LedgerFaults(Fault):
    """Shape C: rules judged while the ledger is updated."""

    def __init__(self, items: Iterable[dict[str, str]]) -> None:
        super().__init__(400, list(items))


class Detail(Fault):
    """Shape D: the request cannot be served, whatever its fields say."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, {"detail": detail}, headers)


class Unavailable(Detail):
    """503: nothing has happened, and a later try may succeed."""

    def __init__(self, detail: str, *, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(503, detail, headers={"Retry-After": str(retry_after_s)})


class TermsFault(Fault):
    """Shape E: the address may not transact before it signs the terms."""

    def __init__(self, message: str) -> None:
        super().__init__(403, {"code": "INVALID_TOS_SIGNATURE", "message": message})


def operational_fault(refusal: Refusal) -> Fault | None:
    """The answer to a refusal that no error code of the wire stands for, None for all others."""
    if refusal.code in UNAVAILABLE:
        return Unavailable(refusal.message)
    if refusal.code == REGISTRATION_LIMIT:
        headers = {"Retry-After": str(REGISTRATION_RETRY_AFTER_S)}
        return Detail(429, refusal.message, headers=headers)
    return None


def body_fault(refusal: Refusal) -> Fault:
    """The answer to a refusal of a rule over the whole body: shape B, A if it names a field."""
    operational = operational_fault(refusal)
    if operational is not None:
        return operational
    reason = item(refusal.code, refusal.message)
    return BodyFaults([reason]) if refusal.field is None else FieldFaults({refusal.field: [reason]})
