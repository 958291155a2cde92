"""The answer to one challenge, from the block that shows it to the depth that makes it final."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from duties import alarms, interventions, names, tasks
from duties.challenges import (
    ALARMS,
    ChallengeOutcome,
    ChallengeStart,
    ChallengeStatus,
    Standing,
    Trial,
    TryAnswers,
)
from duties.eons import Opening, Readiness
from duties.interventions import Intervention
from duties.transactions import Ending, TransactionOutcome
from workflows.asking import ask, clear_alarm, raise_alarm, record
from workflows.challenge_display import show, title
from workflows.clockwork import pause
from workflows.countdown import Countdown
from workflows.messages import reject, require_signed
from workflows.sending import carry_out

PRIORITY = 1
TRIALS_IN_A_WINDOW = 40
CRITICAL_FROM_PERCENT = 50
ALWAYS_FROM_PERCENT = 90
ENOUGH_GWEI = 1_000_000


@workflow.defn(name=names.CHALLENGE_WORKFLOW)
class ChallengeWorkflow:
    """Owes the contract one answer by one block; without it the commit-chain halts.

    It tries every answer that the ledger can make, sends the first that the contract would take,
    and repeats that while the deadline allows. While it works a countdown speaks up at shares of
    the window. One that finds no answer goes on trying and calls people; it delays no other.
    """

    @workflow.init
    def __init__(self, start: ChallengeStart) -> None:
        self._start = start
        self._about = names.challenge_id(start.number, start.sender, start.recipient)
        self._trial: Trial | None = None
        self._sending = ""
        self._last_ending = ""
        self._pauses = 0
        self._nudged = False
        self._countdown = Countdown(
            start.calendar, start.issue_block, start.deadline_block, start.alarms_raised
        )

    @workflow.run
    async def run(self, start: ChallengeStart) -> ChallengeOutcome:
        """Answer; ends when the challenge is answered at its depth, lapsed, or orphaned."""
        self._show()
        countdown = asyncio.create_task(self._countdown.run(self._speak))
        status = await self._answer()
        countdown.cancel()
        with suppress(asyncio.CancelledError, ActivityError):
            await countdown
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not status:
            workflow.continue_as_new(replace(self._start, alarms_raised=self._countdown.spoken))
        return ChallengeOutcome(start.number, status, self._start.revision)

    async def _answer(self) -> str:
        """Try and send until the ledger says how it ended; empty if the history grew too long."""
        while not workflow.info().is_continue_as_new_suggested():
            self._trial = trial = await self._try_answers()
            self._show()
            if trial.standing == Standing.ENDED:
                await self._say_how_it_ended(trial)
                return trial.status
            if trial.standing == Standing.READY:
                await self._send(trial)
                continue
            await self._say_what_is_wrong(trial)
            await self._wait_a_moment()
        return ""

    async def _try_answers(self) -> Trial:
        order = TryAnswers(
            self._start.number, self._start.revision + 1, supplied=self._start.supplied
        )
        try:
            return await ask(tasks.TRY_ANSWERS, order, summary=self._about, priority=PRIORITY)
        except ActivityError as error:
            head = self._trial.head_block if self._trial else self._start.issue_block
            return Trial(Standing.FAILING, "open", head, reason=f"{error.cause or error}")

    async def _send(self, trial: Trial) -> None:
        """Have the answer mined and final; a revert or a theft of its nonce is looked into anew."""
        self._start = replace(self._start, revision=self._start.revision + 1)
        self._sending = trial.key
        self._show()
        await clear_alarm(alarms.DISPUTE_UNANSWERABLE, self._about)
        opening = Opening(
            Readiness.READY, trial.key, trial.intent_id, deadline_block=trial.deadline_block
        )
        outcome: TransactionOutcome = await carry_out(
            opening,
            f"Answer {title(self._start)}",
            self._start.calendar,
            priority=PRIORITY,
            ceiling_gwei=self._start.ceiling_gwei,
        )
        self._sending, self._pauses = "", 0
        self._last_ending = f"{outcome.key} {outcome.ending}"
        if outcome.ending != Ending.CONFIRMED:
            self._last_ending += f" {outcome.letter!r} {outcome.reason}"
        self._show()

    async def _say_what_is_wrong(self, trial: Trial) -> None:
        if trial.standing in (Standing.UNANSWERABLE, Standing.FAILING):
            message = f"{title(self._start)}: {trial.reason}"
            await raise_alarm(alarms.CRITICAL, alarms.DISPUTE_UNANSWERABLE, self._about, message)
        elif trial.standing == Standing.LATE:
            await self._say_that_it_lapsed()

    async def _say_how_it_ended(self, trial: Trial) -> None:
        if trial.status == "lapsed":
            await self._say_that_it_lapsed()
            return
        for subject in ALARMS:
            await clear_alarm(subject, self._about)

    async def _say_that_it_lapsed(self) -> None:
        message = (
            f"{title(self._start)} was not answered by block {self._start.deadline_block}: "
            f"no checkpoint of eon {self._start.eon + 1} can be submitted, the chain will halt"
        )
        await raise_alarm(alarms.CRITICAL, alarms.DISPUTE_LAPSED, self._about, message)

    async def _speak(self, share_percent: int, blocks_left: int) -> None:
        """Say how much of the window is gone, unless the contract's book is clear already."""
        if self._start.acknowledged_by and share_percent < ALWAYS_FROM_PERCENT:
            return
        seen = await ask(tasks.READ_CHALLENGE, self._start.number)
        if seen.cleared_block is not None or seen.status not in ("open", "answering"):
            return
        severity = alarms.CRITICAL if share_percent >= CRITICAL_FROM_PERCENT else alarms.WARNING
        doing = f"{self._sending} is not mined" if self._sending else self._said()
        message = (
            f"{share_percent} % of the time is gone, {blocks_left} blocks are left for "
            f"{title(self._start)}: {doing}"
        )
        await clear_alarm(alarms.DISPUTE_UNANSWERED, self._about)
        await raise_alarm(severity, alarms.DISPUTE_UNANSWERED, self._about, message)

    def _said(self) -> str:
        if self._trial is None:
            return "no answer was tried yet"
        return self._trial.reason or self._trial.standing

    async def _wait_a_moment(self) -> None:
        """Wait longer each time, at most a small share of the window: its end must not pass."""
        calendar = self._start.calendar
        window = self._start.deadline_block - self._start.issue_block
        longest_s = max(window * calendar.block_time_s / TRIALS_IN_A_WINDOW, calendar.poll_s)
        seconds = min(calendar.poll_s * 2 ** min(self._pauses, 10), longest_s)
        self._pauses += 1
        await pause(seconds, self._take_nudge, self._said())

    def _take_nudge(self) -> bool:
        nudged, self._nudged = self._nudged, False
        return nudged

    def _show(self) -> None:
        show(self._start, self.status(), self._last_ending)

    @workflow.query
    def status(self) -> ChallengeStatus:
        """Where the answer stands: what was tried, why it failed, how many blocks are left."""
        trial, deadline = self._trial, self._start.deadline_block
        return ChallengeStatus(
            number=self._start.number,
            standing=trial.standing if trial else "",
            reason=trial.reason if trial else "",
            tried=trial.tried if trial else (),
            deadline_block=deadline,
            blocks_left=max(0, deadline - trial.head_block) if trial else None,
            revision=self._start.revision,
            sending=self._sending,
            acknowledged_by=self._start.acknowledged_by,
            ceiling_gwei=self._start.ceiling_gwei,
        )

    @workflow.update(name=interventions.RETRY_NOW)
    async def retry_now(self, intervention: Intervention) -> None:
        """Try every answer again at once."""
        self._nudged = True
        await record(interventions.RETRY_NOW, intervention)

    @workflow.update(name=interventions.SUPPLY_ANSWER)
    async def supply_answer(self, intervention: Intervention) -> None:
        """Try the answer that a person stored under the id `value` before all others."""
        self._start = replace(self._start, supplied=intervention.value)
        self._nudged = True
        await record(interventions.SUPPLY_ANSWER, intervention)

    @workflow.update(name=interventions.RAISE_CEILING)
    async def raise_ceiling(self, intervention: Intervention) -> None:
        """Let the answer's fee rise to `value` gwei for each gas, whatever the policy says."""
        self._start = replace(self._start, ceiling_gwei=intervention.value)
        await record(interventions.RAISE_CEILING, intervention)
        if self._sending and intervention.value is not None:
            sending = workflow.get_external_workflow_handle(names.transaction_id(self._sending))
            # It may have ended meanwhile; the next one starts with the ceiling.
            with suppress(ApplicationError):
                await sending.signal(interventions.TAKE_CEILING, intervention.value)
        self._show()

    @workflow.update(name=interventions.ACKNOWLEDGE)
    async def acknowledge(self, intervention: Intervention) -> None:
        """Say that a person knows: only the last part of the window raises further alarms."""
        acknowledged = f"{intervention.actor}: {intervention.reason}"
        self._start = replace(self._start, acknowledged_by=acknowledged)
        self._show()
        await record(interventions.ACKNOWLEDGE, intervention)

    @retry_now.validator
    @acknowledge.validator
    def _check(self, intervention: Intervention) -> None:
        require_signed(intervention)
        if self._trial is not None and self._trial.standing == Standing.ENDED:
            raise reject(f"the challenge is {self._trial.status}: nothing can be changed any more")

    @supply_answer.validator
    def _check_supplied(self, intervention: Intervention) -> None:
        self._check(intervention)
        if intervention.value is None or intervention.value < 1:
            raise reject("an answer is supplied by the id under which it was stored")

    @raise_ceiling.validator
    def _check_ceiling(self, intervention: Intervention) -> None:
        self._check(intervention)
        if intervention.value is None or not 0 < intervention.value <= ENOUGH_GWEI:
            raise reject(f"a ceiling is 1 to {ENOUGH_GWEI} gwei")
