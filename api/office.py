"""The duties at work, as people see them and step in: a client of Temporal, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias, TypeVar

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from duties import search_attributes
from duties.interventions import SIGNALLED, TAKEN, Intervention

Connect: TypeAlias = Callable[[], Awaitable[Client]]
T = TypeVar("T")
PATIENCE: Final = timedelta(seconds=5)
UPDATE_PATIENCE_S: Final = 20.0
RUNNING: Final = 'ExecutionStatus = "Running"'


class TemporalAway(Exception):
    """Temporal does not answer; the database's switches work without it."""


class NoSuchDuty(Exception):
    """No duty of this id is known."""


class DutyRefuses(Exception):
    """The duty does not take this, or not now; the message is its reason. Nothing has changed."""


class NobodyWorks(Exception):
    """No worker took the update up in time; it is done once if repeated under the same id."""


@dataclass(frozen=True, slots=True)
class DutySummary:
    """A duty as the visibility store knows it: `phase` and the rest as the duty last said."""

    id: str
    type: str
    since: datetime
    running: bool
    duty: str | None = None
    phase: str | None = None
    eon: int | None = None
    token: str | None = None
    wallet: str | None = None
    deadline_block: int | None = None
    nonce: int | None = None
    blocked: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class DutyDetail:
    """A duty, what it is in words, its own status (None if no worker answers), what it takes."""

    summary: DutySummary
    title: str
    status: Any
    takes: Sequence[str]


class DutyOffice:
    """Lists duties, looks at one, and hands people's interventions to it.

    Every call raises `TemporalAway` when Temporal does not answer within seconds.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._client: Client | None = None

    async def close(self) -> None:
        """Let go of the connection."""
        self._client = None

    async def list_running(self, query: str = "", *, limit: int) -> tuple[list[DutySummary], bool]:
        """The running duties that a visibility `query` finds, by id; whether there are more."""
        condition = f"{RUNNING} AND {query}" if query else RUNNING
        found: list[DutySummary] = []

        async def collect() -> None:
            client = await self._reach()
            listed = client.list_workflows(condition, limit=limit + 1, rpc_timeout=PATIENCE)
            async for execution in listed:
                found.append(_summary(execution))

        await self._ask(collect())
        return sorted(found[:limit], key=lambda one: one.id), len(found) > limit

    async def look(self, duty: str) -> DutyDetail:
        """One duty, running or not. Raises `NoSuchDuty`."""
        return await self._ask(self._look(duty))

    async def intervene(
        self, duty: str, action: str, intervention: Intervention, *, update_id: str
    ) -> Any:
        """Send an update, wait for it, return its answer; one of the same id is done once.

        Raises `NoSuchDuty`, `DutyRefuses`, `NobodyWorks`.
        """
        return await self._ask(self._intervene(duty, action, intervention, update_id))

    async def signal(self, duty: str, action: str) -> None:
        """Send a signal to a running duty. Raises `NoSuchDuty`, `DutyRefuses`."""
        await self._ask(self._signal(duty, action))

    async def _look(self, duty: str) -> DutyDetail:
        handle = (await self._reach()).get_workflow_handle(duty)
        described = await handle.describe(rpc_timeout=PATIENCE)
        try:
            status = await handle.query("status", rpc_timeout=PATIENCE)
        except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
            status = None
        kind = described.workflow_type
        return DutyDetail(
            summary=_summary(described),
            title=await described.static_summary() or "",
            status=status,
            takes=(*TAKEN.get(kind, ()), *SIGNALLED.get(kind, ())),
        )

    async def _intervene(
        self, duty: str, action: str, intervention: Intervention, update_id: str
    ) -> Any:
        client = await self._reach()
        handle = client.get_workflow_handle(duty)
        described = await handle.describe(rpc_timeout=PATIENCE)
        _require_taken(TAKEN, described, action)
        try:
            return await handle.execute_update(
                action, intervention, id=update_id, rpc_timeout=timedelta(seconds=UPDATE_PATIENCE_S)
            )
        except WorkflowUpdateFailedError as error:
            raise DutyRefuses(_reason(error)) from error
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise NobodyWorks("no worker took it up in time") from error

    async def _signal(self, duty: str, action: str) -> None:
        handle = (await self._reach()).get_workflow_handle(duty)
        described = await handle.describe(rpc_timeout=PATIENCE)
        _require_taken(SIGNALLED, described, action)
        await handle.signal(action, rpc_timeout=PATIENCE)

    async def _reach(self) -> Client:
        if self._client is None:
            self._client = await self._connect()
        return self._client

    async def _ask(self, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(UPDATE_PATIENCE_S + PATIENCE.total_seconds()):
                return await call
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                raise NoSuchDuty("no such duty") from error
            if error.status == RPCStatusCode.INVALID_ARGUMENT:
                raise DutyRefuses(str(error)) from error
            raise TemporalAway("Temporal does not answer") from error
        except (RuntimeError, TimeoutError) as error:
            # The SDK says RuntimeError when a connection cannot be opened.
            raise TemporalAway("Temporal does not answer") from error


def _require_taken(table: Any, described: WorkflowExecution, action: str) -> None:
    if action not in table.get(described.workflow_type, ()):
        raise DutyRefuses(f"a duty of the type {described.workflow_type} does not take {action}")
    if described.status is not WorkflowExecutionStatus.RUNNING:
        raise DutyRefuses("the duty has ended")


def _reason(error: WorkflowUpdateFailedError) -> str:
    """The innermost cause in words: a validator's rejection, or why an activity gave up."""
    cause: BaseException = error.cause
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return str(cause)


def _summary(execution: WorkflowExecution) -> DutySummary:
    known = execution.typed_search_attributes
    return DutySummary(
        id=execution.id,
        type=execution.workflow_type,
        since=execution.start_time,
        running=execution.status is WorkflowExecutionStatus.RUNNING,
        duty=known.get(search_attributes.DUTY),
        phase=known.get(search_attributes.PHASE),
        eon=known.get(search_attributes.EON),
        token=known.get(search_attributes.TOKEN),
        wallet=known.get(search_attributes.WALLET),
        deadline_block=known.get(search_attributes.DEADLINE_BLOCK),
        nonce=known.get(search_attributes.NONCE),
        blocked=bool(known.get(search_attributes.BLOCKED)),
        paused=bool(known.get(search_attributes.PAUSED)),
    )
