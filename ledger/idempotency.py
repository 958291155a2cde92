"""Keys under which a request is carried out once, and its first answer for a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.refusals import Refusal
from models import IdempotentAnswer

KEPT: Final = timedelta(days=1)
ABANDONED: Final = timedelta(seconds=60)
"""A request that has no answer for so long was left by a process that ended."""
PRUNED_AT_ONCE: Final = 100

REUSED: Final = "IDEMPOTENCY_KEY_REUSED"
IN_PROGRESS: Final = "IDEMPOTENCY_KEY_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What was answered first: the status and the body's text."""

    status: int
    body: str


def claim_key(session: Session, key: str, request: bytes) -> FirstAnswer | None:
    """Take a key for a request with this 32-byte digest; None means: carry it out.

    Refuses with `IDEMPOTENCY_KEY_REUSED` if something else was asked under the key, with
    `IDEMPOTENCY_KEY_IN_PROGRESS` while the first request has no answer yet.
    """
    _prune(session)
    row = insert(IdempotentAnswer).values(key=key, request=request)
    taken = row.on_conflict_do_nothing().returning(IdempotentAnswer.key)
    if session.scalar(taken) is not None:
        return None
    # Whoever took it has committed by now, or was waited for.
    found = session.scalars(
        select(IdempotentAnswer).where(IdempotentAnswer.key == key).with_for_update()
    ).one()
    if bytes(found.request) != request:
        raise Refusal(REUSED, "another request was sent under this key")
    if found.status is not None and found.body is not None:
        return FirstAnswer(found.status, found.body)
    is_abandoned = session.scalar(select(found.time < func.now() - ABANDONED))
    if not is_abandoned:
        raise Refusal(IN_PROGRESS, "the first request under this key is being carried out")
    found.time = func.now()
    return None


def store_answer(session: Session, key: str, answer: FirstAnswer) -> None:
    """Keep the first answer."""
    session.execute(
        update(IdempotentAnswer)
        .where(IdempotentAnswer.key == key)
        .values(status=answer.status, body=answer.body)
    )


def release_key(session: Session, key: str) -> None:
    """Nothing has happened: the next request under the key is the first."""
    session.execute(
        delete(IdempotentAnswer).where(
            IdempotentAnswer.key == key, IdempotentAnswer.status.is_(None)
        )
    )


def _prune(session: Session) -> None:
    old = (
        select(IdempotentAnswer.key)
        .where(IdempotentAnswer.time < func.now() - KEPT)
        .order_by(IdempotentAnswer.time)
        .limit(PRUNED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.key.in_(old)))
