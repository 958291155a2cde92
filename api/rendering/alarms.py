"""An alarm as the administration's API and the command line show it."""

from __future__ import annotations

from typing import Any

from duties.alarm_catalogue import entry_of
from ledger.payloads import seconds
from ledger.reading.alarms import AlarmRow


def alarm_payload(row: AlarmRow) -> dict[str, Any]:
    """One alarm with the catalogue's words; times in Unix seconds, `cleared_at` null if open."""
    entry = entry_of(row.subject)
    return {
        "severity": row.severity,
        "subject": row.subject,
        "about": row.about,
        "message": row.message,
        "since": seconds(row.since),
        "cleared_at": None if row.cleared_at is None else seconds(row.cleared_at),
        "raised_at": seconds(row.raised_at),
        "occurrences": row.occurrences,
        "duty": row.duty,
        "eon": row.eon,
        "meaning": entry.meaning,
        "what_to_do": entry.advice,
        "runbook": entry.runbook,
    }
