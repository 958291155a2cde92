"""Holding Temporal against the ledger: what must be running and is not, is started again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from sqlalchemy import select
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.context import Context
from activities.expected import FINDERS
from activities.starting import Duty, start_again
from duties import alarms, tasks
from duties.checks import ReconcileReport
from ledger.alarms import clear_alarm, raise_alarm
from logs import get_logger
from models import Alarm

RUNNING: Final = 'ExecutionStatus = "Running"'
MOST_RUNNING: Final = 100_000
MOST_NAMED: Final = 20
PULSE: Final = 100

log = get_logger(__name__)


class Reconciling:
    """Carries out `reconcile`."""

    def __init__(self, context: Context, client: Client) -> None:
        self._context = context
        self._client = client

    @activity.defn(name=tasks.RECONCILE.name)
    async def reconcile(self) -> ReconcileReport:
        """Start the duties that are missing, with an alarm for each until it is seen running."""
        expected = await asyncio.to_thread(self._expected)
        running = await self._running()
        missing = [duty for duty in expected if duty.id not in running]
        started = []
        for number, duty in enumerate(missing):
            if number % PULSE == 0:
                activity.heartbeat(number)
            # Visibility lags behind: only the workflow itself says that it does not run.
            if not await self._runs(duty.id):
                await self._start(duty)
                started.append(duty.id)
        await asyncio.to_thread(self._report, started, running)
        return ReconcileReport(len(expected), len(started), tuple(started[:MOST_NAMED]))

    def _expected(self) -> list[Duty]:
        with self._context.sessions() as session:
            calendar = self._context.calendar(session)
            return [duty for find in FINDERS for duty in find(session, calendar)]

    async def _running(self) -> set[str]:
        found = set()
        async for one in self._client.list_workflows(RUNNING, limit=MOST_RUNNING):
            found.add(one.id)
            if len(found) % PULSE == 0:
                activity.heartbeat(len(found))
        return found

    async def _runs(self, workflow_id: str) -> bool:
        try:
            described = await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return described.status == WorkflowExecutionStatus.RUNNING

    async def _start(self, duty: Duty) -> None:
        await start_again(self._client, duty)
        log.warning("a missing duty was started", duty=duty.id)

    def _report(self, started: Collection[str], running: Collection[str]) -> None:
        """Alarms of duties that were missing end when they run, of failing ones when they end."""
        with self._context.sessions.begin() as session:
            open_ones = session.execute(
                select(Alarm.subject, Alarm.object).where(
                    Alarm.subject.in_((alarms.DUTY_MISSING, alarms.DUTY_FAILING)),
                    Alarm.cleared_at.is_(None),
                )
            )
            for subject, about in open_ones.all():
                if (about in running) == (subject == alarms.DUTY_MISSING):
                    clear_alarm(session, subject, about)
            for about in sorted(started):
                message = "its workflow was not running and was started again"
                raise_alarm(session, alarms.WARNING, alarms.DUTY_MISSING, about, message)
