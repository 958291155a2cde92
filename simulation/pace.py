"""How a story waits: by the clock of a running chain, or by mining the blocks itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

POLL_S: Final = 1.0
CATCH_UP_POLL_S: Final = 0.05
CATCH_UP_TIMEOUT_S: Final = 60

Condition = Callable[[], Awaitable[bool]]


class NeverHappened(Exception):
    """What a story waited for did not happen within its bound."""


class Pace(Protocol):
    """Waits until something has happened on the chain or at the operator."""

    async def wait_until(self, what: str, condition: Condition, *, most_blocks: int) -> None:
        """Return once `condition` holds; raise `NeverHappened` after `most_blocks` blocks."""


class ChainPace:
    """Waits while the chain goes on by itself."""

    def __init__(
        self, block: Callable[[], int], announce: Callable[[str, int], None] | None = None
    ) -> None:
        self._block = block
        self._announce = announce

    async def wait_until(self, what: str, condition: Condition, *, most_blocks: int) -> None:
        """Poll once a second; `announce` hears what is waited for and the blocks spent on it."""
        first = await asyncio.to_thread(self._block)
        while not await condition():
            waited = await asyncio.to_thread(self._block) - first
            if waited > most_blocks:
                raise NeverHappened(f"{what}: not within {most_blocks} blocks")
            if self._announce:
                self._announce(what, waited)
            await asyncio.sleep(POLL_S)


class MiningPace:
    """Mines a block whenever what is waited for has not happened: for tests.

    `caught_up` tells whether the operator has done what the newest block asks of it; a test that
    mined on without it would prove how slow the machine is.
    """

    def __init__(self, mine: Callable[[], None], caught_up: Condition) -> None:
        self._mine = mine
        self._caught_up = caught_up

    async def wait_until(self, what: str, condition: Condition, *, most_blocks: int) -> None:
        """Mine block after block, waiting for the operator after each."""
        for _ in range(most_blocks):
            if await condition():
                return
            await asyncio.to_thread(self._mine)
            await self._let_it_catch_up()
        if not await condition():
            raise NeverHappened(f"{what}: not within {most_blocks} blocks")

    async def _let_it_catch_up(self) -> None:
        deadline = time.monotonic() + CATCH_UP_TIMEOUT_S
        while not await self._caught_up():
            if time.monotonic() > deadline:
                raise NeverHappened(f"the operator did not catch up in {CATCH_UP_TIMEOUT_S} s")
            await asyncio.sleep(CATCH_UP_POLL_S)
