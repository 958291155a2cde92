"""One process that starts the parts in order, keeps them running, and takes them down with it.

A part or step begins when everything that it comes after is ready; what does not depend on each
other starts at the same time. A part that ends is started again, with growing pauses. Stopping
goes the other way round: a part ends when all that came after it have ended.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from stack.data_folder import DataFolder
from stack.errors import NotReady
from stack.part import Part
from stack.part_log import PartLog
from stack.process import ProcessSpec, before_exec

POLL_S = 0.05
TEND_S = 1.0
LAST_OUTPUT_S = 1.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
STEADY_S = 60.0
"""A part that ran this long has recovered: its next pause is the first again."""
TRIES_TO_START = 5
"""A part that never was ready and ended this often will not be tried again."""


@dataclass(frozen=True)
class Unit:
    """A part to keep running, begun after the named units and steps are ready."""

    name: str
    part: Part
    after: tuple[str, ...] = ()
    tend: Callable[[], None] | None = None
    """Called about once a second, outside the event loop, while the part runs."""


@dataclass(frozen=True)
class Step:
    """Something to be done once, after the named units and steps; a failure ends the start."""

    name: str
    run: Callable[[], Awaitable[None]]
    after: tuple[str, ...] = ()


@dataclass
class _State:
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None


class Supervisor:
    """Runs `units` and `steps` until a signal; `report` gets lines for the person who watches."""

    def __init__(
        self,
        units: Sequence[Unit],
        steps: Sequence[Step],
        folder: DataFolder,
        report: Callable[[str], None],
        echo: Callable[[str, str], None] = lambda _name, _line: None,
    ) -> None:
        self._units, self._steps, self._folder = units, steps, folder
        self._report, self._echo = report, echo
        items: list[Unit | Step] = [*units, *steps]
        self._after = {item.name: item.after for item in items}
        self._states = {item.name: _State() for item in items}
        self._stopping = asyncio.Event()
        unknown = {name for names in self._after.values() for name in names} - set(self._states)
        if unknown:
            raise ValueError(f"nothing is called {', '.join(sorted(unknown))}")

    def waiting_for(self) -> list[str]:
        """The names of what is not ready yet."""
        return [name for name, state in self._states.items() if not state.ready.is_set()]

    async def run(self, when_ready: Callable[[], None]) -> None:
        """Bring everything up, call `when_ready` once, keep it up until SIGINT or SIGTERM.

        Raises `NotReady` when a part cannot be started, or whatever a step raised; all parts are
        down when it returns or raises.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        tasks = [asyncio.create_task(self._keep(unit)) for unit in self._units]
        tasks += [asyncio.create_task(self._do(step)) for step in self._steps]
        tasks.append(asyncio.create_task(self._announce(when_ready)))
        stop = asyncio.create_task(self._stopping.wait())
        try:
            await self._until_stopped_or_failed(tasks, stop)
        finally:
            self._stopping.set()
            await self._take_down(tasks)

    async def _until_stopped_or_failed(
        self, tasks: list[asyncio.Task[None]], stop: asyncio.Task[bool]
    ) -> None:
        pending: set[asyncio.Task[None] | asyncio.Task[bool]] = {*tasks, stop}
        while not stop.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                task.result()

    async def _announce(self, when_ready: Callable[[], None]) -> None:
        for state in self._states.values():
            await state.ready.wait()
        when_ready()

    async def _do(self, step: Step) -> None:
        await self._prerequisites(step.after)
        await step.run()
        self._states[step.name].ready.set()
        self._report(f"done: {step.name}")

    async def _prerequisites(self, names: tuple[str, ...]) -> None:
        for name in names:
            await self._states[name].ready.wait()

    async def _keep(self, unit: Unit) -> None:
        """Start the part again and again until the supervisor stops."""
        await self._prerequisites(unit.after)
        log = PartLog(unit.name, self._folder.logs, self._echo)
        state, failures, pause = self._states[unit.name], 0, FIRST_PAUSE_S
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                code = await self._run_once(unit, log)
                if self._stopping.is_set():
                    return
                failures += 1
                if not state.ready.is_set() and failures >= TRIES_TO_START:
                    raise NotReady(f"{unit.name} does not start; its log ends with:\n{log.tail()}")
                pause = FIRST_PAUSE_S if time.monotonic() - began > STEADY_S else pause
                self._report(f"{unit.name} ended with code {code}; again in {pause:g} s")
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        finally:
            log.close()

    async def _run_once(self, unit: Unit, log: PartLog) -> int:
        """One life of the part; returns its exit code."""
        state = self._states[unit.name]
        await asyncio.to_thread(unit.part.prepare)
        process = await _spawn(unit.part.spec())
        state.process = process
        (self._folder.pids / unit.name).write_text(str(process.pid))
        output = asyncio.create_task(log.follow(_stdout(process)))
        watchers = [output, asyncio.create_task(self._watch(unit))]
        if unit.tend is not None:
            watchers.append(asyncio.create_task(_repeat(unit.tend)))
        try:
            code = await process.wait()
            await asyncio.wait([output], timeout=LAST_OUTPUT_S)
            return code
        finally:
            if process.returncode is None:
                process.kill()
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            (self._folder.pids / unit.name).unlink(missing_ok=True)

    async def _watch(self, unit: Unit) -> None:
        state = self._states[unit.name]
        await until(unit.part.is_ready)
        self._report(f"{'again ' if state.ready.is_set() else ''}ready: {unit.name}")
        state.ready.set()

    async def _take_down(self, tasks: list[asyncio.Task[None]]) -> None:
        """Stop all parts, dependents first, then end our own tasks."""
        await asyncio.gather(*(self._stop(unit) for unit in self._units))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _stop(self, unit: Unit) -> None:
        for other in self._units:
            if unit.name in self._all_before(other):
                await self._states[other.name].stopped.wait()
        state = self._states[unit.name]
        if state.process is not None and state.process.returncode is None:
            await _end(state.process, unit.part.spec())
        state.stopped.set()

    def _all_before(self, unit: Unit) -> set[str]:
        """Everything that `unit` comes after, directly or not."""
        found: set[str] = set()
        open_names = list(unit.after)
        while open_names:
            name = open_names.pop()
            if name not in found:
                found.add(name)
                open_names.extend(self._after[name])
        return found


async def _spawn(spec: ProcessSpec) -> asyncio.subprocess.Process:
    """Fork from the main thread: the kernel ties a child to the thread that forked it."""
    account = spec.account
    return await asyncio.create_subprocess_exec(
        *spec.command,
        env=spec.environ(),
        cwd=spec.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=before_exec(spec.death_signal, os.getpid()),
    )


async def _end(process: asyncio.subprocess.Process, spec: ProcessSpec) -> None:
    process.send_signal(spec.stop_signal)
    try:
        await asyncio.wait_for(process.wait(), spec.grace_s)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def until(check: Callable[[], bool]) -> None:
    """Call the blocking `check` outside the event loop until it is true."""
    while True:
        if await asyncio.to_thread(check):
            return
        await asyncio.sleep(POLL_S)


def _stdout(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise NotReady(f"process {process.pid} has no output to follow")
    return process.stdout


async def _repeat(work: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(TEND_S)
        await asyncio.to_thread(work)
