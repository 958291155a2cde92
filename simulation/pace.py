"""How a story waits: by the clock of a running chain, or by mining the blocks itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

POLL_S: Final = 1.0

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
    """Mines a block whenever nothing has happened for a moment: for tests."""

    def __init__(self, mine: Callable[[], None], *, settle_s: float = 0.25) -> None:
        self._mine = mine
        self._settle_s = settle_s

    async def wait_until(self, what: str, condition: Condition, *, most_blocks: int) -> None:
        """Mine block after block, giving the operator a moment after each."""
        for _ in range(most_blocks):
            if await condition():
                return
            await asyncio.to_thread(self._mine)
            await asyncio.sleep(self._settle_s)
        if not await condition():
            raise NeverHappened(f"{what}: not within {most_blocks} blocks")
