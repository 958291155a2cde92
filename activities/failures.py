"""What the worker adds around every activity: its duty's name in alarms and logs, an alarm when it
fails, and the moment after its end, at which tests kill the worker.

Temporal tries a failing activity again and again, for ever where a deadline matters. People hear of
it from the third attempt on, once for each duty however often and wherever it fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from chain.errors import HeadMoved, NodeBehind, NodeUnavailable
from crash_points import crash_point, end_name
from duties import alarms
from ledger.alarms import acting_for, clear_alarm, raise_alarm
from logs import bind, get_logger

PATIENCE: Final = 3
"""The attempt whose failure is reported: one or two of them are everyday life."""
LONGEST_TEXT: Final = 500
ELSEWHERE: Final = (NodeUnavailable, NodeBehind, HeadMoved, OperationalError, InterfaceError)
"""A node or a database that is away has an alarm of its own, or none can be written."""

log = get_logger(__name__)


class FailureReports(Interceptor):
    """Reports activities that keep failing. `redact` takes secrets out of their errors."""

    def __init__(self, sessions: sessionmaker[Session], redact: Callable[[str], str]) -> None:
        self._sessions = sessions
        self._redact = redact

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Put the reports around each activity."""
        return _Reported(next, self)

    async def failed(self, info: activity.Info, error: Exception) -> None:
        """Raise the duty's alarm, unless somebody else does or it is too early."""
        if info.attempt < PATIENCE or isinstance(error, ELSEWHERE):
            return
        if isinstance(error, ApplicationError) and (
            error.category == ApplicationErrorCategory.BENIGN
        ):
            return
        text = self._redact(f"{type(error).__name__}: {error}")[:LONGEST_TEXT]
        message = f"{info.activity_type}, attempt {info.attempt}: {text}"
        await self._write(lambda session, duty: _raise(session, duty, message), info)

    async def succeeded(self, info: activity.Info) -> None:
        """Take the alarm back that earlier attempts may have raised."""
        if info.attempt > PATIENCE:
            await self._write(
                lambda session, duty: clear_alarm(session, alarms.DUTY_FAILING, duty), info
            )

    async def _write(self, change: Callable[[Session, str], Any], info: activity.Info) -> None:
        def work() -> None:
            with self._sessions.begin() as session:
                change(session, info.workflow_id or info.activity_type)

        try:
            await asyncio.to_thread(work)
        except SQLAlchemyError as error:
            # The report must never change what becomes of the duty.
            log.warning("an alarm cannot be written", reason=type(error).__name__)


class _Reported(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, reports: FailureReports) -> None:
        super().__init__(following)
        self._reports = reports

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Carry the activity out under its name, and report how it ended."""
        info = activity.info()
        place = bind(workflow=info.workflow_id, activity=info.activity_type, attempt=info.attempt)
        with acting_for(info.workflow_id or ""), place:
            try:
                result = await super().execute_activity(input)
            except (CancelledError, asyncio.CancelledError):
                raise
            except Exception as error:
                await self._reports.failed(info, error)
                raise
            await self._reports.succeeded(info)
            crash_point(end_name(info.activity_type))
            return result


def _raise(session: Session, duty: str, message: str) -> None:
    raise_alarm(session, alarms.WARNING, alarms.DUTY_FAILING, duty, message)
