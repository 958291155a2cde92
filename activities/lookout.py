"""Seeing from outside of Temporal that the duties stand still."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from duties import alarms, names
from ledger.alarms import clear_alarm, raise_alarm
from ledger.clock import find_view
from logs import get_logger
from models import Alarm

LOOK_EVERY_S: Final = 10.0
LEAST_PATIENCE_S: Final = 60.0
NODE_TROUBLES: Final = (alarms.NODE_UNREACHABLE, alarms.NODE_BEHIND)

log = get_logger(__name__)


class Lookout:
    """Raises an alarm while nobody looks at the chain, for whatever reason.

    It needs neither Temporal nor the node. A silent node, or one that stands still, has an alarm
    of its own.
    """

    def __init__(self, sessions: sessionmaker[Session], *, patience_s: float) -> None:
        self._sessions = sessions
        self._patience = timedelta(seconds=patience_s)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except SQLAlchemyError as error:
                log.warning("the lookout cannot see the ledger", reason=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> bool:
        """Compare the age of the view with the patience; whether the duties stand still."""
        with self._sessions.begin() as session:
            view = find_view(session)
            if view is None:
                return False
            age = datetime.now(UTC) - view.seen_at
            if age <= self._patience:
                clear_alarm(session, alarms.DUTIES_STALLED, names.CHAIN_SYNC_ID)
                return False
            node_is_silent = (
                select(Alarm.id)
                .where(Alarm.subject.in_(NODE_TROUBLES), Alarm.cleared_at.is_(None))
                .exists()
            )
            if session.scalar(select(node_is_silent)):
                return False
            message = f"the chain was last looked at {int(age.total_seconds())} s ago"
            raise_alarm(
                session, alarms.CRITICAL, alarms.DUTIES_STALLED, names.CHAIN_SYNC_ID, message
            )
            return True
