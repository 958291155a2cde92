"""The alarms that are open, and those of the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Alarm

MOST_ALARMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm: what it is `about`, since when, and until when (None: it is open).

    It was raised `occurrences` times, the last at `raised_at`, by `duty` (a workflow's id or empty)
    while `eon` ran.
    """

    severity: str
    subject: str
    about: str
    message: str
    since: datetime
    cleared_at: datetime | None
    raised_at: datetime
    occurrences: int
    duty: str
    eon: int | None


def list_alarms(session: Session, *, include_cleared: bool = False) -> list[AlarmRow]:
    """List open alarms, or all of them, youngest first; at most `MOST_ALARMS`."""
    wanted = select(Alarm).order_by(Alarm.time.desc(), Alarm.id.desc()).limit(MOST_ALARMS)
    if not include_cleared:
        wanted = wanted.where(Alarm.cleared_at.is_(None))
    return [
        AlarmRow(
            severity=row.severity,
            subject=row.subject,
            about=row.object,
            message=row.message,
            since=row.time,
            cleared_at=row.cleared_at,
            raised_at=row.raised_at,
            occurrences=row.occurrences,
            duty=row.duty,
            eon=row.eon,
        )
        for row in session.scalars(wanted)
    ]
