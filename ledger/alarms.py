"""Conditions that a person should know of: raised once, cleared when they end.

What people are told of them is written in the same transaction. About one subject and object they
hear at most once an hour, of a critical one at most every ten minutes, and at once when it gets
worse; that it is resolved they hear when it has stayed so for a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, and_, case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import Alarm, AlarmMessage, ChainView

Severity = Literal["information", "warning", "critical"]

CHECKPOINT_FOREIGN: Final = "foreign root on chain"
OVERCLAIM: Final = "over-claim"
OVERCLAIM_CHARGED: Final = "over-claim charged"
WALLET_ISOLATED: Final = "wallet isolated"
UNKNOWN_TOKEN: Final = "token unknown to the ledger"
REQUEST_WITHOUT_WALLET: Final = "withdrawal request without a wallet"
UNBACKED_WITHDRAWAL: Final = "unbacked withdrawal"
SLASHED_LATE: Final = "slashed after its checkpoint deducted it"
WITHDRAWALS_DIFFER: Final = "withdrawals do not add up"

RAISED, RESOLVED = "raised", "resolved"
RANK: Final = {"information": 0, "warning": 1, "critical": 2}
QUIET: Final = timedelta(hours=1)
QUIET_IF_CRITICAL: Final = timedelta(minutes=10)
CALM: Final = timedelta(seconds=30)
"""How long a condition must have ended before people hear of it: it may come back at once."""

_acting_duty: ContextVar[str] = ContextVar("acting_duty", default="")


@contextmanager
def acting_for(duty: str) -> Iterator[None]:
    """Let alarms that are raised within the block name this duty, a workflow's id."""
    token = _acting_duty.set(duty)
    try:
        yield
    finally:
        _acting_duty.reset(token)


def raise_alarm(
    session: Session, severity: Severity, subject: str, subject_object: str, message: str
) -> bool:
    """Raise an alarm; whether it is new.

    While one of the same subject and object is open, that one counts another occurrence, takes
    the newest message and the graver severity.
    """
    eon = select(ChainView.current_eon).scalar_subquery()
    row = insert(Alarm).values(
        severity=severity,
        subject=subject,
        object=subject_object,
        message=message,
        duty=_acting_duty.get(),
        eon=eon,
    )
    new = row.excluded
    graver = case((Alarm.severity == "critical", Alarm.severity), else_=new.severity)
    raised = session.execute(
        row.on_conflict_do_update(
            index_elements=["subject", "object"],
            index_where=text("cleared_at IS NULL"),
            set_={
                "severity": case((new.severity == "information", Alarm.severity), else_=graver),
                "message": new.message,
                "duty": new.duty,
                "eon": new.eon,
                "raised_at": func.now(),
                "occurrences": Alarm.occurrences + 1,
            },
        ).returning(Alarm),
        execution_options={"populate_existing": True},
    ).scalar_one()
    _tell_raised(session, raised)
    return raised.occurrences == 1


def clear_alarm(session: Session, subject: str, subject_object: str) -> bool:
    """End the open alarm of this subject and object; whether there was one."""
    ended = session.scalars(
        update(Alarm)
        .where(Alarm.subject == subject, Alarm.object == subject_object, Alarm.cleared_at.is_(None))
        .values(cleared_at=func.now())
        .returning(Alarm),
        execution_options={"populate_existing": True, "synchronize_session": False},
    ).one_or_none()
    if ended is None:
        return False
    _tell_resolved(session, ended)
    return True


def _tell_raised(session: Session, alarm: Alarm) -> None:
    """Write the message, to leave as soon as the last one on this condition is old enough."""
    session.execute(delete(AlarmMessage).where(*_pending(alarm, RESOLVED)))
    # Locked before the last one is looked for: what leaves meanwhile is then seen as the last.
    waiting = session.scalar(
        select(AlarmMessage.id).where(*_pending(alarm, RAISED)).with_for_update()
    )
    last = session.execute(
        select(AlarmMessage.assigned_at, AlarmMessage.severity)
        .where(_concerns(alarm), AlarmMessage.kind == RAISED, AlarmMessage.assigned_at.is_not(None))
        .order_by(AlarmMessage.id.desc())
        .limit(1)
    ).first()
    due_at: Any = func.now()
    if last is not None and RANK[alarm.severity] <= RANK[last.severity]:
        quiet = QUIET_IF_CRITICAL if alarm.severity == "critical" else QUIET
        due_at = func.greatest(func.now(), last.assigned_at + quiet)
    if waiting is None:
        values = {"kind": RAISED, "due_at": due_at}
        session.execute(insert(AlarmMessage).values(**_content(alarm), **values))
        return
    session.execute(
        update(AlarmMessage)
        .where(AlarmMessage.id == waiting)
        .values(**_content(alarm), due_at=func.least(AlarmMessage.due_at, due_at))
        .execution_options(synchronize_session=False)
    )


def _tell_resolved(session: Session, alarm: Alarm) -> None:
    """Take back what has not left yet; if people have heard of the condition, tell its end."""
    held_back = AlarmMessage.due_at > func.now()
    session.execute(delete(AlarmMessage).where(*_pending(alarm, RAISED), held_back))
    newest = session.scalar(
        select(AlarmMessage.kind).where(_concerns(alarm)).order_by(AlarmMessage.id.desc()).limit(1)
    )
    if newest == RAISED:
        row = insert(AlarmMessage).values(
            **_content(alarm), kind=RESOLVED, due_at=func.now() + CALM
        )
        session.execute(row)


def _content(alarm: Alarm) -> dict[str, Any]:
    return {
        "severity": alarm.severity,
        "subject": alarm.subject,
        "object": alarm.object,
        "message": alarm.message,
        "duty": alarm.duty,
        "eon": alarm.eon,
        "occurrences": alarm.occurrences,
    }


def _concerns(alarm: Alarm) -> ColumnElement[bool]:
    return and_(AlarmMessage.subject == alarm.subject, AlarmMessage.object == alarm.object)


def _pending(alarm: Alarm, kind: str) -> tuple[ColumnElement[bool], ...]:
    return _concerns(alarm), AlarmMessage.kind == kind, AlarmMessage.assigned_at.is_(None)
