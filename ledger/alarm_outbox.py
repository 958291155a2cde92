"""The way of alarms' messages to people: assigned to channels, claimed, delivered or tried again.

Several processes may work on it at once. Who claims a delivery has it for a while; if that process
dies the next one takes it, so a message may arrive twice but is never lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Text, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from models import AlarmDelivery, AlarmMessage

LEASE: Final = timedelta(seconds=60)
LONGEST_PAUSE: Final = timedelta(minutes=10)
LIFE: Final = timedelta(days=1)
"""A message that cannot be delivered for so long is given up; its alarm is listed all the same."""
MOST_DOUBLINGS: Final = 10

# A raised message that is still waiting is not news once a younger one of the same condition is.
_SUPERSEDE: Final = text("""
UPDATE alarm_delivery SET state = 'superseded'
  FROM alarm_message older, alarm_message newer
 WHERE alarm_delivery.message_id = older.id AND alarm_delivery.state = 'waiting'
   AND newer.id = ANY(:ids) AND newer.kind = 'raised' AND older.kind = 'raised'
   AND older.subject = newer.subject AND older.object = newer.object AND older.id < newer.id
""")

# Of one condition a channel hears in order: what is younger waits for what is older.
_CLAIM: Final = text("""
UPDATE alarm_delivery SET attempts = attempts + 1, due_at = now() + :lease
 WHERE (message_id, channel) IN (
    SELECT delivery.message_id, delivery.channel
      FROM alarm_delivery delivery JOIN alarm_message message ON message.id = delivery.message_id
     WHERE delivery.state = 'waiting' AND delivery.due_at <= now()
       AND delivery.channel = ANY(:channels)
       AND NOT EXISTS (
          SELECT 1 FROM alarm_delivery other JOIN alarm_message earlier
              ON earlier.id = other.message_id
           WHERE other.state = 'waiting' AND other.channel = delivery.channel
             AND earlier.subject = message.subject AND earlier.object = message.object
             AND earlier.id < message.id)
     ORDER BY delivery.message_id LIMIT :limit FOR UPDATE OF delivery SKIP LOCKED)
RETURNING message_id, channel, attempts
""").bindparams(bindparam("channels", type_=ARRAY(Text)))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for one channel. `kind` is `raised` or `resolved`; `attempts` counts this one."""

    message_id: int
    channel: str
    attempts: int
    kind: str
    severity: str
    subject: str
    about: str
    message: str
    duty: str
    eon: int | None
    occurrences: int
    time: datetime


def assign_due(session: Session, channels: Sequence[str], limit: int) -> int:
    """Hand the messages that are due to each channel; returns how many there were."""
    due = session.scalars(
        select(AlarmMessage.id)
        .where(AlarmMessage.assigned_at.is_(None), AlarmMessage.due_at <= func.now())
        .order_by(AlarmMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not due:
        return 0
    session.execute(
        update(AlarmMessage).where(AlarmMessage.id.in_(due)).values(assigned_at=func.now())
    )
    session.execute(_SUPERSEDE, {"ids": list(due)})
    rows = [{"message_id": one, "channel": channel} for one in due for channel in channels]
    if rows:
        session.execute(insert(AlarmDelivery).on_conflict_do_nothing(), rows)
    return len(due)


def claim(session: Session, channels: Sequence[str], limit: int) -> list[Outgoing]:
    """Take deliveries that are due, for the time of the lease."""
    claimed = session.execute(
        _CLAIM, {"channels": list(channels), "limit": limit, "lease": LEASE}
    ).all()
    wanted = {row.message_id for row in claimed}
    messages = {
        one.id: one
        for one in session.scalars(select(AlarmMessage).where(AlarmMessage.id.in_(wanted)))
    }
    return [
        _outgoing(messages[row.message_id], row.channel, row.attempts)
        for row in sorted(claimed, key=lambda row: (row.message_id, row.channel))
    ]


def note_delivered(session: Session, delivery: Outgoing) -> None:
    """The channel has taken the message."""
    values = {"state": "delivered", "delivered_at": func.now(), "error": ""}
    session.execute(update(AlarmDelivery).where(*_is(delivery)).values(values))


def note_failed(session: Session, delivery: Outgoing, error: str) -> bool:
    """The channel did not take it: try again later, longer each time; whether it is given up."""
    pause = min(timedelta(seconds=2 ** min(delivery.attempts, MOST_DOUBLINGS)), LONGEST_PAUSE)
    young = (
        select(AlarmMessage.id)
        .where(AlarmMessage.id == delivery.message_id, AlarmMessage.time > func.now() - LIFE)
        .exists()
    )
    state = "waiting" if session.scalar(select(young)) else "abandoned"
    values = {"state": state, "error": error, "due_at": func.now() + pause}
    session.execute(
        update(AlarmDelivery).where(*_is(delivery), AlarmDelivery.state == "waiting").values(values)
    )
    return state == "abandoned"


def _is(delivery: Outgoing) -> tuple[Any, ...]:
    return (
        AlarmDelivery.message_id == delivery.message_id,
        AlarmDelivery.channel == delivery.channel,
    )


def _outgoing(row: AlarmMessage, channel: str, attempts: int) -> Outgoing:
    return Outgoing(
        message_id=row.id,
        channel=channel,
        attempts=attempts,
        kind=row.kind,
        severity=row.severity,
        subject=row.subject,
        about=row.object,
        message=row.message,
        duty=row.duty,
        eon=row.eon,
        occurrences=row.occurrences,
        time=row.time,
    )
