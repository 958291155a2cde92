"""Keeps the processes of an operator running that are being killed, as a supervisor does."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from settings import ROOT
from stack.part import Part
from stack.process import ProcessSpec, spawn, stop

POLL_S: Final = 0.05
SETTLING_S: Final = 0.1
"""What a dead worker had been given is known to Temporal by then."""


class Ended(Exception):
    """A process of the operator ended in another way than by being killed."""


class Keeper:
    """Runs a process and starts it again whenever it was killed; in the event loop's own thread."""

    def __init__(self, spec: ProcessSpec, log: Path) -> None:
        self.deaths = 0
        self._spec, self._log = spec, log
        self._process: subprocess.Popen[bytes] | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._keeping = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._process is not None:
            await asyncio.to_thread(stop, self._process, self._spec)

    def require_alive(self) -> None:
        """Raise what ended the keeping, if anything did."""
        if self._keeping is not None and self._keeping.done():
            self._keeping.result()

    async def _keep(self) -> None:
        while True:
            code = await self._live()
            if code != -signal.SIGKILL:
                raise Ended(f"{self._spec.name} ended with {code}; see {self._log}")
            self.deaths += 1

    async def _live(self) -> int:
        with self._log.open("ab") as output:
            self._process = spawn(self._spec, output)
        code = self._process.poll()
        while code is None:
            await asyncio.sleep(POLL_S)
            code = self._process.poll()
        return code


class WorkerKeeper(Keeper):
    """Keeps a worker alive in a nursery, and tells Temporal at once which activities died with it.

    Otherwise each would be waited for until its heartbeat or its time limit is due, which is as
    certain and takes a test half an hour.
    """

    def __init__(self, worker: Part, environment: Mapping[str, str], log: Path, temporal: Client):
        lives = log.with_suffix(".lives")
        spec = ProcessSpec(
            name=worker.spec().name,
            command=(sys.executable, "-m", "tests.faults.nursery", str(lives)),
            environment=environment,
            folder=ROOT,
        )
        super().__init__(spec, log)
        self._lives, self._temporal = lives, temporal

    async def _keep(self) -> None:
        self._lives.touch()
        nursery = asyncio.create_task(self._live())
        try:
            while True:
                ended = self._lives.read_text().splitlines()
                for life in ended[self.deaths :]:
                    process, code = life.split()
                    if int(code) != -signal.SIGKILL:
                        raise Ended(f"the worker ended with {code}; see {self._log}")
                    self.deaths += 1
                    await asyncio.sleep(SETTLING_S)
                    await _bury(self._temporal, f"{process}@{socket.gethostname()}")
                if nursery.done():
                    raise Ended(f"the nursery ended; see {self._log}")
                await asyncio.sleep(POLL_S)
        finally:
            nursery.cancel()


async def _bury(temporal: Client, worker: str) -> None:
    """Let Temporal give up, at once, the attempts that a dead worker had begun."""
    executions = [one async for one in temporal.list_workflows("ExecutionStatus = 'Running'")]
    await asyncio.gather(*(_bury_of(temporal, worker, one) for one in executions))


async def _bury_of(temporal: Client, worker: str, execution: WorkflowExecution) -> None:
    handle = temporal.get_workflow_handle(execution.id, run_id=execution.run_id)
    try:
        described = await handle.describe()
        for pending in described.raw_description.pending_activities:
            is_begun = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            if is_begun and pending.last_worker_identity == worker:
                lost = temporal.get_async_activity_handle(
                    workflow_id=execution.id,
                    run_id=execution.run_id,
                    activity_id=pending.activity_id,
                )
                await lost.fail(RuntimeError("its worker was killed"))
    except RPCError:
        # It ended meanwhile, or Temporal had noticed by itself.
        return
