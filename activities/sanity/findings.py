"""What the sanity checks find, as alarms that end when what they found has ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from duties import alarms
from ledger.alarms import Severity, clear_alarm, raise_alarm
from models import Alarm

ABOUT_ALL: Final = "contract"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that does not hold."""

    subject: str
    about: str
    message: str
    severity: Severity = alarms.CRITICAL


@dataclass(slots=True)
class Findings:
    """Collected over all checks. `held` are subjects that were checked completely."""

    found: list[Finding] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    unchecked: list[str] = field(default_factory=list)

    def judge(self, subject: str, found: Collection[Finding]) -> None:
        """Take in the outcome of a check that covers everything under `subject`."""
        self.held.add(subject)
        self.found += found

    def report(self, session: Session) -> None:
        """Raise what was found; end what was found earlier and is not there any more."""
        now = {(one.subject, one.about) for one in self.found}
        before = session.execute(
            select(Alarm.subject, Alarm.object)
            .where(Alarm.subject.in_(self.held), Alarm.cleared_at.is_(None))
            .order_by(Alarm.subject, Alarm.object)
        )
        for subject, about in before.all():
            if (subject, about) not in now:
                clear_alarm(session, subject, about)
        for one in sorted(self.found):
            raise_alarm(session, one.severity, one.subject, one.about, one.message)
