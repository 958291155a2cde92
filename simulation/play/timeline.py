"""The time of a play is blocks: it mines the next one when everybody is done with the present.

Scenes are coroutines. While one works it holds the block; while it waits for a later block, or for
its transaction to be mined, it does not. The operator holds the block until it has read it and has
sent what the block calls for. Nobody holds a block for longer than `longest_block_s`: then the
chain goes on as the real one would, and who is late shows.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.play.parent_node import ParentNode

POLL_S: Final = 0.03
STARTING_PAUSE_S: Final = 0.3
THREAD_WAIT_S: Final = 120.0

Condition = Callable[[], Awaitable[bool]]
DoneWith = Callable[[int], Awaitable[bool]]
"""Whether the operator is done with the block of that number."""


@dataclass(frozen=True, slots=True, order=True)
class _Sleeper:
    block: int
    number: int
    woken: asyncio.Future[None] = field(compare=False)
    holds: bool = field(compare=False)


class Timeline:
    """Mines a `ParentNode` block after block. Not safe for threads, except `pause_in_thread`."""

    def __init__(
        self, node: ParentNode, operator_is_done: DoneWith, *, longest_block_s: float
    ) -> None:
        self.node = node
        self.block = node.block()
        self.slow_blocks = 0
        """Blocks that were mined although somebody was not done with them."""
        self.waited_s: dict[str, float] = {"operator": 0.0, "scenes": 0.0, "node": 0.0}
        self._operator_is_done = operator_is_done
        self._longest_block_s = longest_block_s
        self._fixed_block_s: float | None = None
        self._at_work = 0
        self._sleepers: list[_Sleeper] = []
        self._numbers = itertools.count()
        self._mining = asyncio.Lock()
        self._scenes: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._loop = asyncio.get_running_loop()

    def begin(self, scene: Coroutine[Any, Any, None], *, holds: bool = True) -> None:
        """Start a scene in the present block; with `holds` the next block waits for it."""
        self._at_work += holds
        task = asyncio.create_task(self._play(scene, holds))
        self._scenes.add(task)
        task.add_done_callback(self._end)

    def _end(self, scene: asyncio.Task[None]) -> None:
        self._scenes.discard(scene)
        if not scene.cancelled():
            self._broken = self._broken or scene.exception()

    async def _play(self, scene: Coroutine[Any, Any, None], holds: bool) -> None:
        try:
            await scene
        finally:
            self._at_work -= holds

    async def until(self, block: int, *, holds: bool = True) -> None:
        """Wait until a block has been mined; say `holds=False` in a scene that holds nothing."""
        if self.block >= block:
            return
        sleeper = _Sleeper(block, next(self._numbers), self._loop.create_future(), holds)
        heapq.heappush(self._sleepers, sleeper)
        self._at_work -= holds
        try:
            await sleeper.woken
        except asyncio.CancelledError:
            # Whoever wakes a scene counts it as working; one that was never woken is not counted.
            if not sleeper.woken.done() or sleeper.woken.cancelled():
                self._at_work += holds
            raise

    def pause_in_thread(self) -> None:
        """Wait in a scene's worker thread until another block has been mined."""
        waiting = asyncio.run_coroutine_threadsafe(self._next_block(), self._loop)
        waiting.result(THREAD_WAIT_S)

    async def _next_block(self) -> None:
        await self.until(self.block + 1)

    async def run(self, last_block: int) -> None:
        """Mine up to a block, and wait until everybody is done with it."""
        while self.block < last_block:
            async with self._mining:
                await self.step()
            await asyncio.sleep(0)
        await self.until_all_are_done()

    async def run_until(self, condition: Condition, *, timeout_s: float) -> None:
        """Mine until something holds, never faster than the operator reads: for its start.

        Raises `TimeoutError`.
        """
        async with asyncio.timeout(timeout_s):
            while not await condition():
                if await self._operator_is_done(self.block):
                    await self.step()
                await asyncio.sleep(STARTING_PAUSE_S)

    async def step(self) -> None:
        """Mine one block when it is time; for whoever has the `hand`."""
        await self.until_all_are_done()
        began = time.monotonic()
        self.block = await asyncio.to_thread(self.node.mine)
        self.waited_s["node"] += time.monotonic() - began
        self._wake()

    @asynccontextmanager
    async def hand(self) -> AsyncIterator[None]:
        """Take the mining over: nobody else mines while the body runs."""
        async with self._mining:
            yield
            self.block = await asyncio.to_thread(self.node.block)

    async def until_scenes_rest(self) -> None:
        """For whoever has the `hand`: wait until no scene holds the block, or one did too long."""
        deadline = time.monotonic() + self._longest_block_s
        while self._at_work > 0:
            await asyncio.sleep(POLL_S)
            if time.monotonic() > deadline:
                return

    @asynccontextmanager
    async def fixed_pace(self, block_s: float) -> AsyncIterator[None]:
        """Mine a block every so many seconds while the body runs, whatever the operator does."""
        self._fixed_block_s = block_s
        try:
            yield
        finally:
            self._fixed_block_s = None

    async def stop(self) -> None:
        """End every scene that is still going on."""
        for task in list(self._scenes):
            task.cancel()
        await asyncio.gather(*self._scenes, return_exceptions=True)

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0].block <= self.block:
            sleeper = heapq.heappop(self._sleepers)
            if not sleeper.woken.done():
                self._at_work += sleeper.holds
                sleeper.woken.set_result(None)

    async def until_all_are_done(self) -> None:
        """Wait until nobody holds the block any more, or held it for too long."""
        began = time.monotonic()
        while True:
            if self._broken is not None:
                raise self._broken
            now = time.monotonic()
            if now - began > self._longest_block_s:
                self.slow_blocks += 1
                return
            if self._fixed_block_s is not None:
                if now - began >= self._fixed_block_s:
                    return
            elif self._at_work > 0:
                self.waited_s["scenes"] += POLL_S
            elif await self._operator_is_done(self.block):
                return
            else:
                self.waited_s["operator"] += POLL_S + time.monotonic() - now
            await asyncio.sleep(POLL_S)
