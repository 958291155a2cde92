"""Bodies: JSON or a form, into one value; what cannot be read has a named error."""

from __future__ import annotations

import json
from json import JSONDecodeError
from typing import Any, Final

from sanic import Request

from api.faults import BodyFaults, Detail, item

FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
DEEPEST_FORM_NAME: Final = 4
MOST_PARTS: Final = 500
"""Above what any request needs, below what any interpreter's recursion allows."""


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Numbers with a point or an exponent stay text: an amount never passes through a float.
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_constant=_refuse_constant)


def parse_json(text: str) -> Any:
    """Read JSON strictly. Raises `ValueError` for anything else.

    Objects and lists are counted first: the decoder descends on the C stack, and a text of
    nothing but brackets must not reach its end.
    """
    if text.count("[") + text.count("{") > MOST_PARTS:
        raise ValueError(f"more than {MOST_PARTS} objects and lists")
    return _DECODER.decode(text)


def read_body(request: Request) -> dict[str, Any]:
    """Read the request's body as an object; an absent body is an empty one.

    Raises 415 for other types, 400 in shape D for what is not JSON, shape B for what is no object.
    """
    body = _read(request)
    if not isinstance(body, dict):
        raise BodyFaults([item("invalid", "the body is not an object")])
    return body


def _read(request: Request) -> Any:
    raw = request.body
    if not raw:
        return {}
    content_type = request.headers.getone("content-type", "application/json")
    kind = content_type.partition(";")[0].strip().lower()
    if kind in FORMS:
        return _read_form(request)
    if kind != "application/json":
        raise Detail(415, "neither JSON nor a form")
    try:
        return parse_json(raw.decode())
    except ValueError as error:
        raise Detail(400, f"not JSON: {_reason(error)}") from None


def _reason(error: ValueError) -> str:
    if isinstance(error, JSONDecodeError):
        return f"{error.msg} at {error.pos}"
    return "the text is not UTF-8" if isinstance(error, UnicodeError) else str(error)


def _read_form(request: Request) -> dict[str, Any]:
    """Read `wallet.address=…` as a member of a member; of repeated names the last counts."""
    body: dict[str, Any] = {}
    for name, values in (request.form or {}).items():
        *path, last = name.split(".", DEEPEST_FORM_NAME)
        place = body
        for step in path:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            place[last] = values[-1]
    return body
