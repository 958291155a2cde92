"""An act of a person as a body tells it: who, why, and the caller's own name for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import uuid4

from sanic import Request

from api.faults import Detail
from api.forms.body import read_body
from api.forms.fields import LARGEST_EON, text
from api.forms.form import Form, bad
from ledger.interventions import Person, UpdateIdTaken

T = TypeVar("T")
LONGEST_TEXT: Final = 500
LONGEST_ID: Final = 100
_read_text: Final = text(LONGEST_TEXT)
_read_id: Final = text(LONGEST_ID)


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts and why. `update_id` is ours if the caller gave none; `value` is seldom given."""

    person: Person
    update_id: str
    value: int | None


def read_act(request: Request) -> Act:
    """Read `actor`, `reason`, and perhaps `update_id` and `value`. Raises shape A."""
    body = read_body(request)
    form = Form(body)
    actor, reason = form.take("actor", _read_text), form.take("reason", _read_text)
    update_id = form.take("update_id", _read_id) if "update_id" in body else uuid4().hex
    value = form.take("value", whole_number) if body.get("value") is not None else None
    form.require()
    return Act(Person(actor or "", reason or "", update_id), update_id or "", value)


def whole_number(value: Any) -> int:
    """Read a JSON integer or a text of digits, within 63 bits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad("invalid", "not a whole number")
    if not 0 <= value <= LARGEST_EON:
        raise bad("max_value", "out of range")
    return value


def once(work: Callable[[], T]) -> T:
    """Do what writes an act down; 409 if its id names another act."""
    try:
        return work()
    except UpdateIdTaken as error:
        raise Detail(409, str(error)) from None
