"""The courier: brings alarms' messages to people, however often it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from activities.telling.channel import Channel, NotDelivered
from crash_points import MESSAGE_TOLD, crash_point
from ledger.alarm_outbox import Outgoing, assign_due, claim, note_delivered, note_failed
from logs import get_logger

BATCH: Final = 20
POLL_S: Final = 2.0
RECOVER_S: Final = 10.0

log = get_logger(__name__)


class Courier:
    """Delivers what is due on its `channels`, beside other processes that do the same.

    It never touches a duty: what it cannot deliver, or a database that is away, only waits.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        channels: Sequence[Channel],
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self._sessions = sessions
        self._channels = {channel.name: channel for channel in channels}
        self._poll_s = poll_s

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            try:
                pause_s = 0.0 if await self.turn() else self._poll_s
            except SQLAlchemyError as error:
                log.warning("messages wait for the database", reason=type(error).__name__)
                pause_s = RECOVER_S
            except Exception:
                log.exception("messages are late")
                pause_s = RECOVER_S
            await asyncio.sleep(pause_s)

    async def turn(self) -> int:
        """Deliver at most `BATCH` messages, at the same time; returns how many were tried."""
        waiting = await asyncio.to_thread(self._take)
        await asyncio.gather(*(self._deliver(one) for one in waiting))
        return len(waiting)

    def _take(self) -> list[Outgoing]:
        names = list(self._channels)
        self._assign(names)
        return self._claim(names)

    def _assign(self, names: list[str]) -> None:
        with self._sessions.begin() as session:
            assign_due(session, names, BATCH)

    def _claim(self, names: list[str]) -> list[Outgoing]:
        with self._sessions.begin() as session:
            return claim(session, names, BATCH)

    async def _deliver(self, message: Outgoing) -> None:
        try:
            await self._channels[message.channel].send(message)
        except NotDelivered as error:
            await asyncio.to_thread(self._failed, message, str(error))
        else:
            crash_point(MESSAGE_TOLD)
            await asyncio.to_thread(self._delivered, message)

    def _delivered(self, message: Outgoing) -> None:
        with self._sessions.begin() as session:
            note_delivered(session, message)
        log.info("told", channel=message.channel, kind=message.kind, subject=message.subject)

    def _failed(self, message: Outgoing, error: str) -> None:
        with self._sessions.begin() as session:
            is_given_up = note_failed(session, message, error)
        facts = {"channel": message.channel, "subject": message.subject, "reason": error}
        if is_given_up:
            log.error("a message is given up", **facts)
        else:
            log.warning("a message waits", **facts)
