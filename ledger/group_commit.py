"""Group commit: transfers that arrive together share one transaction and one `fsync`."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import psycopg2
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ledger.clock import INTAKE_CLOSED
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from ledger.transfers.batch import Batch, BatchMemory
from ledger.transfers.requests import TransferAccepted, TransferRequest, Verdict
from protocol.signing import SignerUnavailable

BATCH_LIMIT: Final = 64
QUEUE_LIMIT: Final = 4096
WORKERS: Final = 1
RECONNECTIONS: Final = 5
RECONNECTION_PAUSE_S: Final = 0.2

# Every statement of the hot path finds its rows by key, whatever stale statistics suggest.
_SESSION: Final = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: TransferRequest
    future: asyncio.Future[TransferAccepted]


class GroupCommit:
    """Appends transfers from an event loop through a few threads, each with its own connection.

    An answer leaves only after the commit of its transaction. `observe` hears of each batch's size
    and seconds, in the thread that ran it. More threads make smaller batches:
    one a process is best where several processes share the work.
    """

    def __init__(
        self,
        engine: Engine,
        rules: LedgerRules,
        *,
        workers: int = WORKERS,
        batch_limit: int = BATCH_LIMIT,
        queue_limit: int = QUEUE_LIMIT,
        observe: Callable[[int, float], None] = lambda _size, _seconds: None,
    ) -> None:
        self._engine = engine
        self._rules = rules
        self._batch_limit = batch_limit
        self._queue_limit = queue_limit
        self._observe = observe
        self._memory = BatchMemory()
        self._queue: deque[_Waiting] = deque()
        self._filled = threading.Condition()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = [
            threading.Thread(target=self._work, name=f"group-commit-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Start the threads; call it inside the running event loop that will submit."""
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    def submit(self, request: TransferRequest) -> asyncio.Future[TransferAccepted]:
        """Queue a transfer; await the future for its verdict.

        The future raises `Refusal` with the wire's code. `Refusal` with code `INTAKE_CLOSED` is
        raised at once when the queue is full or the process is stopping: nothing has happened.
        """
        if self._loop is None or self._stopping or len(self._queue) >= self._queue_limit:
            raise Refusal(INTAKE_CLOSED, "the operator is busy")
        waiting = _Waiting(request, self._loop.create_future())
        with self._filled:
            self._queue.append(waiting)
            self._filled.notify()
        return waiting.future

    @property
    def waiting(self) -> int:
        """The number of transfers that no thread has taken yet."""
        return len(self._queue)

    async def stop(self, timeout_s: float = 10.0) -> None:
        """Refuse what is new, finish what is queued, and end the threads."""
        with self._filled:
            self._stopping = True
            self._filled.notify_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, timeout_s)

    def _work(self) -> None:
        connection: Any = None
        while batch := self._take():
            requests = [waiting.request for waiting in batch]
            started = time.perf_counter()
            connection, answers = self._run(connection, requests)
            self._observe(len(batch), time.perf_counter() - started)
            if self._loop is not None:
                self._loop.call_soon_threadsafe(_resolve, batch, answers)
        if connection is not None:
            connection.close()

    def _take(self) -> list[_Waiting]:
        """Wait for requests and take a batch; empty when the process stops."""
        with self._filled:
            while not self._queue and not self._stopping:
                self._filled.wait()
            count = min(len(self._queue), self._batch_limit)
            return [self._queue.popleft() for _ in range(count)]

    def _run(
        self, connection: Any, requests: list[TransferRequest]
    ) -> tuple[Any, list[Verdict | Exception]]:
        """Run a batch; on an error that may be one request's, each of them by itself."""
        try:
            connection, verdicts = self._run_batch(connection, requests)
        except Exception as error:  # noqa: BLE001 - one request must not fail its neighbours
            if len(requests) == 1 or _is_everybodys(error):
                return None, [error] * len(requests)
            answers: list[Verdict | Exception] = []
            for request in requests:
                connection, answer = self._run(connection, [request])
                answers += answer
            return connection, answers
        return connection, list(verdicts)

    def _run_batch(
        self, connection: Any, requests: list[TransferRequest]
    ) -> tuple[Any, list[Verdict]]:
        """Run a batch, on a new connection if the old one is lost; the batch knows what it did."""
        batch = Batch(self._rules, requests, self._memory)
        for attempt in range(RECONNECTIONS):
            try:
                connection = connection or self._connect()
                return connection, batch.run(connection)
            except (DBAPIError, psycopg2.OperationalError, psycopg2.InterfaceError):
                connection = None
                if attempt == RECONNECTIONS - 1:
                    raise
                threading.Event().wait(RECONNECTION_PAUSE_S * 2**attempt)
        raise psycopg2.OperationalError("no connection")

    def _connect(self) -> Any:
        fairy = self._engine.raw_connection()
        connection: Any = fairy.driver_connection
        fairy.detach()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_SESSION)
        return connection


def _is_everybodys(error: Exception) -> bool:
    """Whether each request by itself would meet it too: a lost connection, a silent signer."""
    return isinstance(
        error,
        DBAPIError | psycopg2.OperationalError | psycopg2.InterfaceError | SignerUnavailable,
    )


def _resolve(batch: list[_Waiting], answers: list[Verdict | Exception]) -> None:
    for waiting, answer in zip(batch, answers, strict=True):
        if waiting.future.done():
            continue
        if isinstance(answer, TransferAccepted):
            waiting.future.set_result(answer)
        else:
            waiting.future.set_exception(answer)
