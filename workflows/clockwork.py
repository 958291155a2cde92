"""Waiting for blocks: few questions while there is far to go, many near the goal."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from temporalio import workflow

from duties.calendar import Calendar, View
from protocol.clock import EonClock
from workflows.asking import read_view

LONGEST_WAIT_S: Final = 300.0
SHARE_OF_THE_WAY: Final = 0.8


def clock_of(calendar: Calendar) -> EonClock:
    """The eon clock of a calendar."""
    return EonClock(calendar.genesis_block, calendar.blocks_per_eon)


async def pause(seconds: float, wake: Callable[[], bool], summary: str = "") -> bool:
    """Wait until `wake` holds, at most so long; whether it holds."""
    try:
        await workflow.wait_condition(
            wake, timeout=timedelta(seconds=seconds), timeout_summary=summary or None
        )
    except TimeoutError:
        return False
    return True


async def until_block(
    calendar: Calendar, block: int, wake: Callable[[], bool] = lambda: False
) -> View:
    """Wait until the ledger has seen `block`, or `wake` holds; returns the view of that moment."""
    view = await read_view()
    while view.latest_block < block and not wake():
        left = block - view.latest_block
        seconds = max(calendar.poll_s, left * calendar.block_time_s * SHARE_OF_THE_WAY)
        await pause(min(seconds, LONGEST_WAIT_S), wake, f"{left} blocks to block {block}")
        view = await read_view()
    return view
