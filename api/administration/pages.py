"""How much of a list is asked for."""

from __future__ import annotations

from typing import Final

from sanic import Request

from api.faults import FieldFaults, item
from api.policy import PAGE_CAP

DEFAULT: Final = 100
LONGEST: Final = 18


def read_limit(request: Request) -> int:
    """Read `limit`: 100, at most 1000. Raises shape A."""
    return min(max(read_number(request, "limit") or DEFAULT, 1), PAGE_CAP)


def read_number(request: Request, name: str) -> int | None:
    """Read a query parameter of digits, None if it is absent. Raises shape A."""
    given = request.args.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= LONGEST):
        raise FieldFaults({name: [item("invalid", "not a whole number")]})
    return int(given)
