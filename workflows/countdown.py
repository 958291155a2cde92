"""Counting the blocks of a deadline's window, louder and louder."""

from collections.abc import Awaitable, Callable
from typing import Final

from temporalio import workflow

from duties.calendar import Calendar
from workflows.clockwork import until_block

SHARES_PERCENT: Final = (25, 50, 75, 90)


class Countdown:
    """Speaks at each share of the window between two blocks; `spoken` shares are left out."""

    def __init__(self, calendar: Calendar, opened: int, deadline: int, spoken: int = 0) -> None:
        self._calendar = calendar
        self._opened, self._deadline = opened, deadline
        self.spoken = spoken

    async def run(self, speak: Callable[[int, int], Awaitable[None]]) -> None:
        """Call `speak` with each share in percent and the blocks left; then wait for ever."""
        window = self._deadline - self._opened
        for share in SHARES_PERCENT[self.spoken :]:
            view = await until_block(self._calendar, self._opened + window * share // 100)
            await speak(share, max(0, self._deadline - view.latest_block))
            self.spoken += 1
        await workflow.wait_condition(lambda: False)
