"""Where a request's time goes: the last requests with their SQL, and the loop's CPU profile.

Everything is of this process. Bodies are never kept.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy import Engine, event

from api.faults import Detail
from api.replies import request_id

MOST_FUNCTIONS: Final = 100
LONGEST_PATH: Final = 300
FAILED: Final = 500
"""Stands for the status of a request that ended in an exception; its answer is made elsewhere."""


@dataclass(slots=True)
class SqlUse:
    """Statements of one request and the seconds that they took."""

    count: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request; `time` in seconds since 1970, durations in seconds."""

    time: float
    request_id: str
    method: str
    path: str
    operation: str
    status: int
    seconds: float
    sql: SqlUse


_used: ContextVar[SqlUse | None] = ContextVar("sql_of_this_request", default=None)
_BEGUN: Final = "begun_for_profiling"


class Recorder:
    """Keeps the last `most` of the requests, of which `percent` in a hundred are recorded."""

    def __init__(self, engine: Engine, *, most: int, percent: int) -> None:
        self._percent = percent
        self._kept: deque[RecordedRequest] = deque(maxlen=most)
        self._profiling = False
        event.listen(engine, "before_cursor_execute", _begin)
        event.listen(engine, "after_cursor_execute", _end)

    @property
    def requests(self) -> list[RecordedRequest]:
        """What is kept, the newest first."""
        return list(reversed(self._kept))

    async def record(
        self, operation: str, request: Request, answer: Callable[[], Awaitable[HTTPResponse]]
    ) -> HTTPResponse:
        """Answer a request, and keep what it took if it is one of those that are recorded.

        The statements of the group commit belong to many payments and are counted for none.
        """
        if random.randrange(100) >= self._percent:
            return await answer()
        used, started, status = SqlUse(), time.perf_counter(), FAILED
        token = _used.set(used)
        try:
            response = await answer()
            status = response.status
            return response
        finally:
            _used.reset(token)
            self._kept.append(
                RecordedRequest(
                    time.time(),
                    request_id(request),
                    request.method,
                    request.path[:LONGEST_PATH],
                    operation,
                    status,
                    time.perf_counter() - started,
                    used,
                )
            )

    async def profile_loop(self, seconds: float) -> list[dict[str, Any]]:
        """Profile the event loop's thread; its functions by the time spent in them alone.

        The process is slower meanwhile. Raises `Detail` with 409 while another profile is made.
        """
        if self._profiling:
            raise Detail(409, "another profile is being made")
        self._profiling = True
        profiler = cProfile.Profile()
        try:
            try:
                profiler.enable()
            except ValueError as error:
                raise Detail(409, "another tool profiles this process") from error
            await asyncio.sleep(seconds)
        finally:
            profiler.disable()
            self._profiling = False
        return _functions(profiler)


def _begin(
    _connection: Any, _cursor: Any, _sql: Any, _given: Any, context: Any, _many: Any
) -> None:
    if context is not None and _used.get() is not None:
        setattr(context, _BEGUN, time.perf_counter())


def _end(_connection: Any, _cursor: Any, _sql: Any, _given: Any, context: Any, _many: Any) -> None:
    used, begun = _used.get(), getattr(context, _BEGUN, None)
    if used is not None and begun is not None:
        used.count += 1
        used.seconds += time.perf_counter() - begun


def _functions(profiler: cProfile.Profile) -> list[dict[str, Any]]:
    found = pstats.Stats(profiler).get_stats_profile().func_profiles
    ordered = sorted(found.items(), key=lambda one: one[1].tottime, reverse=True)
    return [
        {
            "function": name,
            "place": f"{one.file_name}:{one.line_number}",
            "calls": str(one.ncalls),
            "own_s": one.tottime,
            "total_s": one.cumtime,
        }
        for name, one in ordered[:MOST_FUNCTIONS]
    ]
