"""Joins over whole tables, whatever the planner believes about their size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

_OFF: Final = text("SET LOCAL enable_nestloop = off")
_ON: Final = text("SET LOCAL enable_nestloop = on")


@contextmanager
def set_joins(session: Session | Connection) -> Iterator[None]:
    """Hash or merge instead of looping while the block runs.

    Tables grow within minutes by orders of magnitude, and statistics follow late: a plan for a
    few rows would take hours over a hundred thousand.
    """
    session.execute(_OFF)
    yield
    session.execute(_ON)
