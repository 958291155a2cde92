"""The book of what people did: who, what, why, each act once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import InterventionRecord


class UpdateIdTaken(Exception):
    """The caller's name of an act stands for another act on the same subject already."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts and why; `update_id` is the caller's name of the act, None if it has none."""

    actor: str
    reason: str
    update_id: str | None = None


def record_intervention(
    session: Session, action: str, subject: str, person: Person, *, value: str | None = None
) -> bool:
    """Write an act down; False if this very act is written down already and must not be repeated.

    Raises `UpdateIdTaken` when its id names another act. Another transaction that is writing the
    same id is waited for.
    """
    row = insert(InterventionRecord).values(
        actor=person.actor,
        action=action,
        subject=subject,
        value=value,
        reason=person.reason,
        update_id=person.update_id,
    )
    new = row.on_conflict_do_nothing(index_elements=["subject", "update_id"])
    if session.scalar(new.returning(InterventionRecord.id)) is not None:
        return True
    require_same_act(session, action, subject, person, value=value)
    return False


def require_same_act(
    session: Session, action: str, subject: str, person: Person, *, value: str | None = None
) -> bool:
    """Tell whether this very act is written down. Raises `UpdateIdTaken` if another one is."""
    if person.update_id is None:
        return False
    found = session.scalars(
        select(InterventionRecord).where(
            InterventionRecord.subject == subject,
            InterventionRecord.update_id == person.update_id,
        )
    ).one_or_none()
    if found is None:
        return False
    if (found.action, found.value) != (action, value):
        raise UpdateIdTaken(f"{person.update_id} is already {found.action} of {subject}")
    return True


def list_interventions(
    session: Session, *, limit: int, before: int | None = None, subject: str | None = None
) -> Sequence[InterventionRecord]:
    """Read the book, newest first; `before` is the id of a record that a reader has already."""
    query = select(InterventionRecord).order_by(InterventionRecord.id.desc()).limit(limit)
    if before is not None:
        query = query.where(InterventionRecord.id < before)
    if subject is not None:
        query = query.where(InterventionRecord.subject == subject)
    return session.scalars(query).all()
