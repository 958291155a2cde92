"""The thread that hears of new notifications and takes them to this process's sockets.

PostgreSQL says which rows are new, once a transaction and in the order of the commits. The thread
reads exactly those, renders what somebody here listens to and hands it to the event loop. When
the connection was lost, it reads what came meanwhile and leaves out what it has told already.
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg2
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from api.streams.hub import Hub
from api.streams.outbox import PAGE, Told, read_ids, read_range, read_ranges, read_since
from api.streams.teller import Teller
from ledger.notifications import CHANNEL
from logs import get_logger

RECONNECT_S: Final = 0.5
PROBE_S: Final = 15.0
IDLE_PAUSE_S: Final = 0.05
"""While nobody listens, notifications are noted in larger groups."""
READING_EVERY_S: Final = 0.02
"""While much is told, rows are read in groups: a reading costs more than telling many."""
LONGEST_GAP: Final = timedelta(minutes=5)
SLOWEST_COMMIT: Final = timedelta(seconds=15)
"""A row bears the time at which its transaction began; one that took longer is not caught up."""
KNOWN_IDS: Final = 200_000

log = get_logger(__name__)


class Listener:
    """One thread with a connection of its own. `start` in the event loop, `stop` once."""

    def __init__(
        self, engine: Engine, sessions: sessionmaker[Session], hub: Hub, teller: Teller
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._hub = hub
        self._teller = teller
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known: set[int] = set()
        self._known_in_order: deque[int] = deque()
        self._heard_at: datetime | None = None
        self._read_at = 0.0
        self._is_stopping = False
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread."""
        self._is_stopping = True
        self._wake.send(b"\0")
        await asyncio.to_thread(self._thread.join, timeout_s)
        self._wake.close()
        self._woken.close()

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                self._listen()
            except (psycopg2.Error, SQLAlchemyError) as error:
                log.warning("notifications are late", reason=type(error).__name__)
            except Exception:
                log.exception("notifications are late")
            self._hub.is_listening = False
            if not self._is_stopping:
                time.sleep(RECONNECT_S)

    def _listen(self) -> None:
        with closing(self._connect()) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._catch_up()
            self._hub.is_listening = True
            while not self._is_stopping:
                patience_s = 0.0 if self._teller.has_work else PROBE_S
                is_ready = _wait(patience_s, connection, self._woken)
                if not is_ready and not self._teller.has_work:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT 1")
                self._gather()
                connection.poll()
                self._heard_at = datetime.now(UTC)
                self._take(notify.payload for notify in _drained(connection))
                if self._teller.has_work:
                    self._send(self._teller.next_checkpoints, ())

    def _gather(self) -> None:
        """Let more notifications come in, unless the last were read long enough ago."""
        if self._hub.is_idle:
            _wait(IDLE_PAUSE_S, self._woken)
            return
        pause_s = self._read_at + READING_EVERY_S - time.monotonic()
        if pause_s > 0:
            _wait(pause_s, self._woken)

    def _connect(self) -> Any:
        fairy = self._engine.raw_connection()
        connection: Any = fairy.driver_connection
        fairy.detach()
        connection.autocommit = True
        return connection

    def _take(self, payloads: Iterable[str]) -> None:
        ranges = [found for found in map(read_range, payloads) if found is not None]
        if not ranges:
            return
        self._read_at = time.monotonic()
        with self._sessions() as session:
            if self._hub.is_idle:
                self._remember(read_ids(session, ranges))
                return
            rows = read_ranges(session, ranges)
        self._tell(rows)

    def _catch_up(self) -> None:
        if self._heard_at is None:
            return
        since = max(self._heard_at, datetime.now(UTC) - LONGEST_GAP) - SLOWEST_COMMIT
        after = 0
        while not self._is_stopping:
            with self._sessions() as session:
                rows = read_since(session, since, after)
            self._tell(rows)
            if len(rows) < PAGE:
                return
            after = rows[-1].id

    def _tell(self, rows: Sequence[Told]) -> None:
        fresh = [row for row in rows if row.id not in self._known]
        transfers = [row.transfer_id for row in fresh if row.transfer_id is not None]
        try:
            self._send(lambda session: self._teller.render(session, fresh), transfers)
        except (psycopg2.Error, SQLAlchemyError):
            raise
        except Exception:
            # Told again they would fail again, and hold back everything after them.
            log.exception("notifications cannot be told", ids=[row.id for row in fresh])
        self._remember(row.id for row in fresh)

    def _remember(self, ids: Iterable[int]) -> None:
        """Note what was told, or told to nobody: it is not told again after an interruption."""
        for number in ids:
            if number not in self._known:
                self._known.add(number)
                self._known_in_order.append(number)
        while len(self._known_in_order) > KNOWN_IDS:
            self._known.discard(self._known_in_order.popleft())

    def _send(self, render: Any, transfers: Sequence[int]) -> None:
        with self._sessions() as session:
            pushes = render(session)
        if self._loop is not None and (pushes or transfers) and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hub.deliver, pushes, transfers)


def _wait(patience_s: float, *sources: Any) -> bool:
    """Wait until one of `sources` can be read. With poll: numbers of files go beyond 1024 here."""
    poll = select.poll()
    for source in sources:
        poll.register(source, select.POLLIN)
    return bool(poll.poll(patience_s * 1000))


def _drained(connection: Any) -> list[Any]:
    notifies = list(connection.notifies)
    del connection.notifies[:]
    return notifies
