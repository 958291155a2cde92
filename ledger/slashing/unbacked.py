"""Requests for money that is not there and that nothing can cancel: a person must know of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from ledger.alarms import UNBACKED_WITHDRAWAL, clear_alarm, raise_alarm
from ledger.slashing.overdraws import Overdraw
from models import Alarm
from protocol.address import checksum_address
from protocol.clock import EonClock

_BLOCKED: Final = text("""
SELECT DISTINCT t.short_name, r.address FROM withdrawal_request r
JOIN token t ON t.id = r.token_id WHERE r.status = 'blocked'
""")


def report_unbacked(
    session: Session, clock: EonClock, eon: int, overdraws: Sequence[Overdraw]
) -> None:
    """Raise the alarm of each wallet whose overdraw nothing can cancel, clear those of others.

    `overdraws` are all that there are in `eon`. No alarm is cleared while a request is blocked.
    """
    for one in overdraws:
        message = (
            f"{one.missing} of {one.asked} units requested are not there, and no marker proves it;"
            f" what was requested in eon {eon} can be cancelled until block"
            f" {clock.last_slash_block(eon)}"
        )
        raise_alarm(session, "critical", UNBACKED_WITHDRAWAL, one.name, message)
    is_open = select(Alarm.object).where(
        Alarm.subject == UNBACKED_WITHDRAWAL, Alarm.cleared_at.is_(None)
    )
    raised = set(session.scalars(is_open))
    if not raised:
        return
    kept = {one.name for one in overdraws} | set(_blocked(session))
    for name in raised - kept:
        clear_alarm(session, UNBACKED_WITHDRAWAL, name)


def _blocked(session: Session) -> Iterable[str]:
    for short_name, address in session.execute(_BLOCKED):
        yield f"{short_name} {checksum_address(bytes(address))}"
