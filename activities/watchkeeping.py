"""Alarms and interventions, written down."""

from __future__ import annotations

from typing import Literal, cast

from temporalio import activity

from activities.context import Context
from duties import tasks
from duties.alarms import AlarmKey, AlarmNote
from duties.interventions import InterventionNote
from ledger.alarms import clear_alarm, raise_alarm
from ledger.interventions import Person, record_intervention
from logs import get_logger

log = get_logger(__name__)


class Watchkeeping:
    """Carries out `raise_alarm`, `clear_alarm` and `record_intervention`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.RAISE_ALARM.name)
    def raise_alarm(self, note: AlarmNote) -> None:
        """Raise an alarm, once while it is open."""
        severity = cast(Literal["information", "warning", "critical"], note.severity)
        with self._context.sessions.begin() as session:
            raise_alarm(session, severity, note.subject, note.about, note.message)
        log.error("alarm", subject=note.subject, about=note.about, message=note.message)

    @activity.defn(name=tasks.CLEAR_ALARM.name)
    def clear_alarm(self, key: AlarmKey) -> None:
        """Clear an alarm if it is open."""
        with self._context.sessions.begin() as session:
            clear_alarm(session, key.subject, key.about)

    @activity.defn(name=tasks.RECORD_INTERVENTION.name)
    def record_intervention(self, note: InterventionNote) -> None:
        """Write down what a person did to a duty."""
        with self._context.sessions.begin() as session:
            person = Person(note.actor, note.reason, note.update_id or None)
            record_intervention(
                session, note.action, note.subject, person, value=note.value or None
            )
        log.warning("intervention", actor=note.actor, action=note.action, subject=note.subject)
