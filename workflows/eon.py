"""The life of an eon's checkpoint, from the eon's first block to a root that is final."""

import asyncio
from contextlib import suppress
from typing import NoReturn, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

from duties import alarms, interventions, names, tasks
from duties.calendar import SUBMIT_LATE, View
from duties.eons import (
    EonOutcome,
    EonStart,
    EonStatus,
    Opening,
    OpenSubmission,
    Phase,
    Readiness,
    Verdict,
)
from duties.interventions import Intervention
from duties.task import Task
from duties.transactions import Ending
from workflows.asking import ask, clear_alarm, raise_alarm, read_view, record
from workflows.clockwork import clock_of, pause, until_block
from workflows.eon_display import show
from workflows.escalation import Escalation
from workflows.messages import reject, require_signed
from workflows.sending import carry_out

Result = TypeVar("Result")
PRIORITY = 2
LONGEST_PAUSE_S = 120.0
PAUSES_IN_AN_EON = 40
BLOCKS_TO_SLASH = 5


class _BuiltAnew(Exception):
    """A person wants the root built anew."""


@workflow.defn(name=names.EON_WORKFLOW)
class EonWorkflow:
    """Commits the balances of the eon before, in time, or says loudly why not.

    While it works, an escalation counts the blocks that are left. If the eon ends without a root
    on chain the commit-chain has halted for good and nothing is left to do but to say so.
    """

    @workflow.init
    def __init__(self, start: EonStart) -> None:
        self._start = start
        self._clock = clock_of(start.calendar)
        self._about = names.eon_id(start.eon)
        self._phase = Phase.RUNNING_IN
        self._blockers: tuple[str, ...] = ()
        self._root = ""
        self._revision = 0
        self._pauses = 0
        self._held_by = ""
        self._approved_by = ""
        self._approved: set[int | None] = set()
        self._nudged = False
        self._is_open = False
        self._rebuilding = False
        self._escalation = Escalation(start)

    @workflow.run
    async def run(self, start: EonStart) -> EonOutcome:
        """Commit the eon's checkpoint; ends `done`, or `halted` when the eon is lost."""
        self._enter(Phase.RUNNING_IN)
        work = asyncio.create_task(self._commit())
        watch = asyncio.create_task(self._escalation.run())
        await workflow.wait([work, watch], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            watch.cancel()
            await work
        else:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            await self._halt()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return EonOutcome(start.eon, self._phase, self._root, self._revision)

    async def _commit(self) -> None:
        eon = self._start.eon
        await self._run_in()
        self._enter(Phase.CLOSING)
        await self._step(tasks.CLOSE_EON, eon - 1)
        self._enter(Phase.BUILDING)
        while not await self._prepare():
            self._enter(Phase.BUILDING)
            await self._step(tasks.DISCARD_CHECKPOINT, eon)
        await self._step(tasks.ANNOUNCE_CHECKPOINT, eon)
        await self._settle()
        await self._submit()
        self._enter(Phase.COMMITTED)
        await self._publish()
        self._enter(Phase.DONE)

    async def _prepare(self) -> bool:
        """Build the root and judge it; False if a person wants it built anew."""
        eon = self._start.eon
        self._rebuilding = False
        try:
            built = await self._step(tasks.BUILD_CHECKPOINT, eon)
            self._root, self._is_open = built.root, True
            self._enter(Phase.VERIFYING)
            verdict = await self._step(tasks.VERIFY_CHECKPOINT, eon)
            await self._clear_overclaim(verdict)
        except _BuiltAnew:
            return False
        self._is_open = False
        return True

    async def _run_in(self) -> None:
        """Wait until the eon before is confirmed to its last block and the threshold is reached."""
        eon, calendar = self._start.eon, self._start.calendar
        due = self._clock.first_block(eon) + calendar.checkpoint_threshold_blocks
        last = self._clock.last_block(eon - 1) if eon > 1 else 0
        view = await until_block(calendar, due, self._take_nudge)
        while view.latest_block < due or view.confirmed_block < last:
            if view.latest_block >= due:
                message = f"block {last} should be confirmed, {view.confirmed_block} is"
                self._enter(Phase.RUNNING_IN, message)
                await raise_alarm(alarms.CRITICAL, alarms.OUT_OF_SYNC, self._about, message)
            await pause(calendar.poll_s, self._take_nudge)
            view = await read_view()
        if self._blockers:
            await clear_alarm(alarms.OUT_OF_SYNC, self._about)

    async def _clear_overclaim(self, verdict: Verdict) -> None:
        """Hold an over-claimed root until it is covered, approved, or late enough to go out.

        A missing root halts the chain for good; an over-claimed one can still be covered. What
        slashes on their way will give back is waited for first, without calling anybody.
        """
        self._require_wanted()
        while verdict.overclaims:
            view = await read_view()
            if verdict.waiting_for and view.latest_block < self._slash_patience():
                self._enter(Phase.SETTLING, *verdict.waiting_for)
            elif await self._hold_overclaim(verdict, view):
                return
            await self._wait_a_moment()
            self._require_wanted()
            verdict = await ask(tasks.READ_BOUNDS, self._start.eon)
        await clear_alarm(alarms.OVERCLAIM, self._about)

    def _require_wanted(self) -> None:
        if self._rebuilding:
            raise _BuiltAnew

    async def _hold_overclaim(self, verdict: Verdict, view: View) -> bool:
        """Call a person; whether the root goes out all the same."""
        calendar = self._start.calendar
        left = self._clock.last_block(self._start.eon) - view.latest_block
        causes = "; ".join((*verdict.overclaims, *verdict.waiting_for))
        message = f"{causes}. Blocks left: {left}"
        self._enter(Phase.BLOCKED, message)
        await raise_alarm(alarms.CRITICAL, alarms.OVERCLAIM, self._about, message)
        return self._is_approved(verdict) or (
            calendar.overclaim_policy == SUBMIT_LATE
            and view.latest_block >= self._clock.overclaim_submission_block(self._start.eon)
        )

    def _is_approved(self, verdict: Verdict) -> bool:
        """Whether people let every over-claimed token out, one by one or all (None) at once."""
        return None in self._approved or (
            bool(verdict.trails) and self._approved.issuperset(verdict.trails)
        )

    def _slash_patience(self) -> int:
        """The block until which slashes of the eon before have time to be mined."""
        needed = self._start.calendar.checkpoint_threshold_blocks + BLOCKS_TO_SLASH
        epoch = self._clock.epoch_blocks
        return self._clock.first_block(self._start.eon) + min(max(epoch // 2, needed), epoch)

    async def _settle(self) -> None:
        """Let slashes and answers of the eon before land: they change what the root is bound to.

        Half an epoch into the eon the deadline goes first; the contract judges both itself. But a
        slash that the leaves count on must be mined, up to the last tenth of the eon.
        """
        patience = self._clock.first_block(self._start.eon) + self._clock.epoch_blocks // 2
        last = self._clock.overclaim_submission_block(self._start.eon)
        while True:
            unsettled = await ask(tasks.READ_UNSETTLED, self._start.eon - 1)
            if not unsettled.waiting_for:
                return
            latest = (await read_view()).latest_block
            if latest >= (last if unsettled.unmined else patience):
                return
            self._enter(Phase.SETTLING, *unsettled.waiting_for)
            await self._wait_a_moment()

    async def _submit(self) -> None:
        """Have the root mined and final; after a revert find the cause and send another."""
        self._pauses = 0
        while True:
            await self._wait_while_held()
            self._enter(Phase.SUBMITTING)
            order = OpenSubmission(self._start.eon, self._revision + 1)
            opening = await ask(tasks.OPEN_SUBMISSION, order)
            if opening.readiness == Readiness.DONE:
                return
            if opening.readiness == Readiness.READY:
                self._revision += 1
                if await self._carry_out(opening):
                    return
            elif opening.readiness == Readiness.WAIT:
                self._enter(Phase.BLOCKED, opening.reason)
            else:
                await self._stand_still(opening)
            await self._wait_a_moment()

    async def _carry_out(self, opening: Opening) -> bool:
        title = f"Submit the checkpoint of eon {self._start.eon}"
        outcome = await carry_out(opening, title, self._start.calendar, priority=PRIORITY)
        if outcome.ending == Ending.CONFIRMED:
            return True
        message = f"{outcome.key}: {outcome.ending} {outcome.letter!r} {outcome.reason}"
        self._enter(Phase.BLOCKED, message)
        await raise_alarm(alarms.CRITICAL, alarms.CHECKPOINT_REVERTED, self._about, message)
        return False

    async def _stand_still(self, opening: Opening) -> NoReturn:
        """Nothing that we send can help: a foreign root, or a chain that has halted."""
        subject = (
            alarms.CHECKPOINT_FOREIGN if opening.readiness == Readiness.FOREIGN else alarms.HALTED
        )
        self._enter(Phase.BLOCKED, opening.reason)
        await raise_alarm(alarms.CRITICAL, subject, self._about, opening.reason)
        self._escalation.give_up()
        while True:
            await workflow.wait_condition(lambda: False)

    async def _publish(self) -> None:
        """Wait for the confirmed event, hold its root against ours, and take the alarms back."""
        self._enter(Phase.PUBLISHING)
        while True:
            recorded = await ask(tasks.RECORD_COMMITMENT, self._start.eon)
            if recorded.readiness == Readiness.DONE:
                break
            if recorded.readiness == Readiness.FOREIGN:
                await self._stand_still(recorded)
            await self._wait_a_moment()
        for subject in (alarms.CHECKPOINT_LATE, alarms.CHECKPOINT_REVERTED):
            await clear_alarm(subject, self._about)

    async def _halt(self) -> None:
        message = f"eon {self._start.eon} ended without its checkpoint: {self._said()}"
        self._enter(Phase.HALTED, message)
        await raise_alarm(alarms.CRITICAL, alarms.HALTED, self._about, message)

    def _said(self) -> str:
        return "; ".join(self._blockers) or f"it was {self._phase}"

    async def _step(self, task: Task[int, Result], eon: int) -> Result:
        """Carry out a step; when the ledger itself objects, a person says when to try again."""
        while True:
            try:
                return await ask(task, eon, summary=f"eon {eon}")
            except ActivityError as error:
                message = f"{task.name}: {error.cause or error}"
                phase = self._phase
                self._enter(Phase.BLOCKED, message)
                await raise_alarm(alarms.CRITICAL, alarms.CHECKPOINT_LATE, self._about, message)
                await workflow.wait_condition(lambda: self._nudged)
                self._nudged = False
                self._require_wanted()
                self._enter(phase)

    async def _wait_while_held(self) -> None:
        while self._held_by:
            self._enter(Phase.BLOCKED, f"held by {self._held_by}")
            await workflow.wait_condition(lambda: not self._held_by)

    async def _wait_a_moment(self) -> None:
        """Wait longer each time, so that a long wait stays a short history.

        At most two minutes, and a small share of a short eon: its end must not pass meanwhile.
        """
        calendar = self._start.calendar
        seconds = calendar.poll_s * 2 ** min(self._pauses, 10)
        share_s = calendar.blocks_per_eon * calendar.block_time_s / PAUSES_IN_AN_EON
        self._pauses += 1
        longest_s = min(LONGEST_PAUSE_S, max(share_s, calendar.poll_s))
        await pause(min(seconds, longest_s), self._take_nudge)

    def _take_nudge(self) -> bool:
        nudged, self._nudged = self._nudged, False
        return nudged

    def _enter(self, phase: Phase, *blockers: str) -> None:
        self._phase, self._blockers = phase, blockers
        show(self._start, self.status(), self._approved_by)

    @workflow.signal
    def wake(self) -> None:
        """Something happened that this eon may be waiting for."""
        self._nudged = True

    @workflow.query
    def status(self) -> EonStatus:
        """Where the eon's checkpoint stands."""
        return EonStatus(
            eon=self._start.eon,
            phase=self._phase,
            blockers=self._blockers,
            root=self._root,
            revision=self._revision,
            held=bool(self._held_by),
            deadline_block=self._clock.last_block(self._start.eon),
        )

    @workflow.update(name=interventions.HOLD_SUBMISSION)
    async def hold_submission(self, intervention: Intervention) -> None:
        """Send nothing until released; the deadline does not wait, alarms go on."""
        self._held_by = f"{intervention.actor}: {intervention.reason}"
        await record(interventions.HOLD_SUBMISSION, intervention)

    @workflow.update(name=interventions.RELEASE_SUBMISSION)
    async def release_submission(self, intervention: Intervention) -> None:
        """Let the submission go out after a hold."""
        self._held_by = ""
        await record(interventions.RELEASE_SUBMISSION, intervention)

    @workflow.update(name=interventions.APPROVE_OVERCLAIM)
    async def approve_overclaim(self, intervention: Intervention) -> None:
        """Let an over-claimed root out; its proofs fail until the difference is covered.

        `value` is the trail of the one token that may be over-claimed; without it all may.
        """
        self._approved_by = f"{intervention.actor}: {intervention.reason}"
        self._approved.add(intervention.value)
        self._nudged = True
        await record(interventions.APPROVE_OVERCLAIM, intervention)

    @workflow.update(name=interventions.REBUILD)
    async def rebuild(self, intervention: Intervention) -> None:
        """Forget the root, which no wallet was told of, and build it anew from the ledger."""
        self._rebuilding = self._nudged = True
        await record(interventions.REBUILD, intervention)

    @rebuild.validator
    def _check_rebuild(self, intervention: Intervention) -> None:
        self._check(intervention)
        if not self._is_open:
            raise reject("a root is built anew only between its building and its announcement")

    @workflow.update(name=interventions.RETRY_NOW)
    async def retry_now(self, intervention: Intervention) -> None:
        """Try again at once what is being waited for."""
        self._nudged = True
        await record(interventions.RETRY_NOW, intervention)

    @hold_submission.validator
    @release_submission.validator
    @approve_overclaim.validator
    @retry_now.validator
    def _check(self, intervention: Intervention) -> None:
        require_signed(intervention)
        if self._phase in (Phase.COMMITTED, Phase.PUBLISHING, Phase.DONE, Phase.HALTED):
            raise reject(f"the checkpoint is {self._phase}: nothing can be changed any more")
