"""Rows of the outbox as this process reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models import Notification

PAGE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Told:
    """An event for `streams`, in this order; see the table of notifications."""

    id: int
    event: str
    streams: Sequence[str]
    transfer_id: int | None
    payload: Any | None


_COLUMNS: Final = (
    Notification.id,
    Notification.event,
    Notification.streams,
    Notification.transfer_id,
    Notification.payload,
)


def read_range(payload: str) -> tuple[int, int] | None:
    """Read what a NOTIFY carries, `first-last`; None for anything else."""
    first, dash, last = payload.partition("-")
    if not dash or not first.isdigit() or not last.isdigit():
        return None
    return int(first), int(last)


def read_ranges(session: Session, ranges: Iterable[tuple[int, int]]) -> list[Told]:
    """Read the rows of some ranges of ids, ascending."""
    rows = session.execute(select(*_COLUMNS).where(_within(ranges)).order_by(Notification.id))
    return [Told(*row) for row in rows]


def read_ids(session: Session, ranges: Iterable[tuple[int, int]]) -> list[int]:
    """Read only which rows there are in some ranges of ids."""
    return list(session.scalars(select(Notification.id).where(_within(ranges))))


def _within(ranges: Iterable[tuple[int, int]]) -> ColumnElement[bool]:
    return or_(*(Notification.id.between(first, last) for first, last in ranges))


def read_since(session: Session, since: datetime, after: int) -> list[Told]:
    """Read a page of the rows of `since` and later, with ids above `after`, ascending."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(Notification.time >= since, Notification.id > after)
        .order_by(Notification.id)
        .limit(PAGE)
    )
    return [Told(*row) for row in rows]
