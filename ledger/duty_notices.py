"""Facts that workflows must learn, written with the change and delivered at least once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import DutyNotice


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """An undelivered notice; receivers ignore an `id` that they have seen."""

    id: int
    key: str
    kind: str
    arguments: Mapping[str, Any]


def notice(session: Session, key: str, kind: str, arguments: Mapping[str, Any]) -> None:
    """Record a fact under its key; the same key again changes nothing."""
    statement = insert(DutyNotice).values(key=key, kind=kind, arguments=dict(arguments))
    session.execute(statement.on_conflict_do_nothing(index_elements=["key"]))


def notice_again(session: Session, key: str, kind: str, arguments: Mapping[str, Any]) -> None:
    """Record a fact, or let it be delivered once more under the key that it has."""
    statement = insert(DutyNotice).values(key=key, kind=kind, arguments=dict(arguments))
    session.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_={"delivered": False})
    )


def undelivered(
    session: Session, limit: int, *, urgent: Collection[str] = ()
) -> list[PendingNotice]:
    """List the oldest undelivered notices in the order in which they were recorded.

    Those of the `urgent` kinds come before all others.
    """
    rows = session.execute(
        select(DutyNotice.id, DutyNotice.key, DutyNotice.kind, DutyNotice.arguments)
        .where(~DutyNotice.delivered)
        .order_by(DutyNotice.kind.not_in(urgent), DutyNotice.id)
        .limit(limit)
    )
    return [PendingNotice(*row) for row in rows]


def mark_delivered(session: Session, ids: Sequence[int]) -> None:
    """Note that the workflows have taken these notices."""
    session.execute(update(DutyNotice).where(DutyNotice.id.in_(ids)).values(delivered=True))
