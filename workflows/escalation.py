"""Counting the blocks of an eon whose checkpoint is not on chain yet, louder and louder."""

from temporalio import workflow

from duties import alarms, names
from duties.eons import EonStart
from workflows.asking import clear_alarm, raise_alarm
from workflows.clockwork import clock_of, until_block

BLOCKS_TO_SUBMIT = 5


class Escalation:
    """Warns at half an epoch, alarms at an epoch, then through the second half of the eon."""

    def __init__(self, start: EonStart) -> None:
        self._start = start
        self._clock = clock_of(start.calendar)
        self._given_up = False

    def give_up(self) -> None:
        """End at once: nothing can be done in this eon any more."""
        self._given_up = True

    async def run(self) -> None:
        """Return when the eon is over without its checkpoint; wait for ever if it has one."""
        eon, calendar = self._start.eon, self._start.calendar
        first, about = self._clock.first_block(eon), names.eon_id(eon)
        for number, mark in enumerate(self._marks()):
            view = await until_block(calendar, first + mark, lambda: self._given_up)
            if self._given_up:
                return
            if view.last_submitted_eon >= eon:
                break
            if view.latest_block > self._clock.last_block(eon):
                return
            left = self._clock.last_block(eon) - view.latest_block
            message = f"block {view.latest_block} of eon {eon}: no root on chain, {left} left"
            await clear_alarm(alarms.CHECKPOINT_LATE, about)
            severity = alarms.WARNING if number == 0 else alarms.CRITICAL
            await raise_alarm(severity, alarms.CHECKPOINT_LATE, about, message)
        else:
            over = self._clock.last_block(eon) + 1
            view = await until_block(calendar, over, lambda: self._given_up)
            if self._given_up or view.last_submitted_eon < eon:
                return
        await workflow.wait_condition(lambda: self._given_up)

    def _marks(self) -> list[int]:
        """Sub-blocks at which to speak: P/2, P, N/2, then every N/20 blocks.

        The first is later where half an epoch leaves no time to build and send.
        """
        blocks, epoch = self._clock.blocks_per_eon, self._clock.epoch_blocks
        needed = self._start.calendar.checkpoint_threshold_blocks + BLOCKS_TO_SUBMIT
        first = min(max(epoch // 2, needed), epoch)
        return [first, epoch, *range(blocks // 2, blocks, max(1, blocks // 20))]
