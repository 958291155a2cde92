"""How a wallet bears an operator that is being killed: it asks again, not for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from simulation.pace import NeverHappened
from wallet.errors import ChainFailure, OperatorRefused, OperatorUnreachable, TimedOut

PAUSE_S: Final = 0.3
LONGEST_TROUBLE_S: Final = 90.0
TROUBLE: Final = (OperatorUnreachable, ChainFailure, TimedOut)
UNAVAILABLE: Final = (502, 503, 504)

Result = TypeVar("Result")


def is_trouble(error: Exception) -> bool:
    """Whether a failure says that a part is down for the moment, and not that it objects."""
    if isinstance(error, OperatorRefused):
        return error.status in UNAVAILABLE
    return isinstance(error, TROUBLE)


async def patiently(what: str, attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Repeat a harmless attempt while parts are down; raises `NeverHappened` after a while."""
    deadline = time.monotonic() + LONGEST_TROUBLE_S
    while True:
        try:
            return await attempt()
        except (*TROUBLE, OperatorRefused) as error:
            if not is_trouble(error):
                raise
            if time.monotonic() > deadline:
                raise NeverHappened(f"{what}: not within {LONGEST_TROUBLE_S} s: {error}") from error
        await asyncio.sleep(PAUSE_S)
