"""Work on the database for the event loop: a few threads, and a bounded line in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from api.faults import Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Runs functions of a session in threads.

    `read` shows one consistent moment and cannot write; `write` is one unit of work. Both raise
    `Unavailable` when `waiting_limit` calls are in line already.
    """

    def __init__(self, engine: Engine, *, threads: int, waiting_limit: int) -> None:
        self.engine = engine
        self.sessions = sessionmaker(engine, expire_on_commit=False)
        snapshot = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.snapshots = sessionmaker(snapshot, expire_on_commit=False)
        self._limit = threads + waiting_limit
        self._taken = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")

    @property
    def taken(self) -> int:
        """Calls at work and in line."""
        return self._taken

    async def read(
        self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function(session, ...)` on a snapshot of the ledger."""
        return await self._run(self.snapshots, function, *args, **kwargs)

    async def write(
        self, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function(session, ...)` and commit."""
        return await self._run(self.sessions, function, *args, **kwargs)

    def close(self) -> None:
        """End the threads once they have finished what they do."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _run(
        self,
        sessions: sessionmaker[Session],
        function: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        if self._taken >= self._limit:
            raise Unavailable("the operator is busy")

        def work() -> T:
            with sessions.begin() as session:
                return function(session, *args, **kwargs)

        self._taken += 1
        # Counted until the thread has ended, also when the caller has gone away meanwhile.
        # In the caller's context: what is logged there names the request.
        future = asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, work)
        future.add_done_callback(self._release)
        return await asyncio.shield(future)

    def _release(self, future: asyncio.Future[T]) -> None:
        self._taken -= 1
        if not future.cancelled():
            # Retrieved here: a caller that has gone away will not.
            future.exception()
