"""A node of a trial's own: it mines when asked, can be killed, and comes back as it was saved."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Final

from stack.errors import NotReady
from stack.node import AnvilNode
from stack.process import spawn, stop

READY_TIMEOUT_S: Final = 60.0
SAVE_TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05
TEND_S: Final = 1.0
WRITING_S: Final = 0.2
"""Its file is written in place; in this time the writing ends."""


class OwnNode:
    """Runs an `AnvilNode` without a supervisor; everything in the event loop's own thread."""

    def __init__(self, node: AnvilNode, log: Path) -> None:
        self.node, self._log = node, log
        self._process: subprocess.Popen[bytes] | None = None
        self._tending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and wait until it answers. Raises `NotReady`."""
        await asyncio.to_thread(self.node.prepare)
        with self._log.open("ab") as output:
            # The kernel ties a child to the thread that forked it: not in a thread of the pool.
            self._process = spawn(self.node.spec(), output)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not await asyncio.to_thread(self.node.is_ready):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"the node does not start; see {self._log}")
            await asyncio.sleep(POLL_S)
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend())

    async def save(self) -> None:
        """Return when everything mined so far is on disk, and in a copy that no kill cuts short."""
        began = time.time()
        while self.node.saved_at() <= began:
            if time.time() > began + SAVE_TIMEOUT_S:
                raise NotReady(f"the node has not saved its state for {SAVE_TIMEOUT_S} s")
            await asyncio.sleep(POLL_S)
        await asyncio.sleep(WRITING_S)
        await asyncio.to_thread(self.node.tend)

    async def kill(self) -> None:
        """Kill it as a power cut does, and start it again with what it had saved."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        await self.start()

    async def stop(self) -> None:
        """End it for good."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        if self._process is not None:
            await asyncio.to_thread(stop, self._process, self.node.spec())

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(TEND_S)
            await asyncio.to_thread(self.node.tend)
