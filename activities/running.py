"""Blocking work within an asynchronous activity: in a thread, with a pulse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from temporalio import activity

Result = TypeVar("Result")
PULSE_S: Final = 5.0


async def beating(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread and heartbeat until it is done.

    A cancelled activity leaves the thread to its end: all work here may be repeated.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    while True:
        done, _ = await asyncio.wait({running}, timeout=PULSE_S)
        if done:
            return running.result()
        activity.heartbeat()
