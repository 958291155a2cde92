"""One on-chain transaction until it is final, whatever the chain and the fees do meanwhile."""

from dataclasses import replace
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from duties import interventions, names, search_attributes, tasks
from duties.interventions import Intervention
from duties.transactions import (
    Broadcast,
    Ending,
    Progress,
    Stage,
    TransactionOutcome,
    TransactionStart,
    TransactionStatus,
    Watch,
)
from workflows.asking import ask, ask_until, read_view, record
from workflows.clockwork import pause
from workflows.messages import reject, require_signed

WAITING_POLLS = 5
URGENT_PRIORITY = 2
ENOUGH_GWEI = 1_000_000
GWEI = 10**9


@workflow.defn(name=names.TRANSACTION_WORKFLOW)
class TransactionWorkflow:
    """Sends an intent, follows it, replaces it when it is not mined, and reports how it ended.

    Past its deadline an intent that was never sent expires; one that was gives its nonce up to a
    transfer to oneself, so that later transactions are not stuck behind it.
    """

    @workflow.init
    def __init__(self, start: TransactionStart) -> None:
        self._start = start
        self._progress = Progress(Stage.WAITING)
        self._nudged = False
        self._forced = False

    @workflow.run
    async def run(self, start: TransactionStart) -> TransactionOutcome:
        """Carry the intent out; only its end ends the duty."""
        self._show("queued")
        while self._progress.stage != Stage.ENDED:
            await workflow.wait_condition(
                lambda: not self._start.paused or bool(self._start.cancelling)
            )
            self._nudged = False
            await self._turn()
            self._show(self._progress.stage)
            if (
                self._progress.stage != Stage.ENDED
                and workflow.info().is_continue_as_new_suggested()
            ):
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._start)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._outcome()

    async def _turn(self) -> None:
        """Send what is due, then watch it until something happens."""
        if await self._is_late():
            self._progress = await ask(tasks.EXPIRE_INTENT, self._start.intent_id)
            if self._progress.stage == Stage.ENDED:
                return
            self._start = replace(
                self._start, late=True, cancelling=self._start.cancelling or "too late"
            )
        if self._progress.stage != Stage.MINED:
            forced, self._forced = self._forced, False
            self._progress = await ask(
                tasks.BROADCAST,
                Broadcast(
                    self._start.intent_id,
                    ceiling_gwei=self._start.ceiling_gwei,
                    cancelling=bool(self._start.cancelling),
                    forced=forced,
                ),
                summary=self._start.title,
                priority=self._start.priority,
                urgently=self._start.priority <= URGENT_PRIORITY,
            )
        if self._progress.stage == Stage.ENDED:
            return
        self._show(self._progress.stage)
        if self._progress.stage == Stage.WAITING:
            seconds = WAITING_POLLS * self._start.calendar.poll_s
            await pause(seconds, lambda: self._nudged, self._progress.reason)
            return
        seen = await ask_until(
            tasks.WATCH, Watch(self._start.intent_id), lambda: self._nudged or self._start.paused
        )
        self._progress = seen or replace(self._progress, stage=Stage.SENT)

    async def _is_late(self) -> bool:
        if self._start.deadline_block is None or self._progress.stage == Stage.MINED:
            return False
        return (await read_view()).latest_block >= self._start.deadline_block

    def _outcome(self) -> TransactionOutcome:
        ending = self._progress.ending
        if ending == Ending.CANCELLED and self._start.late:
            ending = Ending.EXPIRED
        return TransactionOutcome(
            ending=ending,
            key=self._start.key,
            tx_hash=self._progress.tx_hash,
            block=self._progress.block,
            letter=self._progress.letter,
            reason=self._progress.reason,
        )

    def _show(self, phase: str) -> None:
        """Tell the person in the Temporal UI where this transaction stands."""
        seen = self._progress
        updates: list[SearchAttributeUpdate[Any]] = [
            search_attributes.DUTY.value_set("transaction"),
            search_attributes.PHASE.value_set(seen.ending or phase),
            search_attributes.PAUSED.value_set(self._start.paused),
        ]
        if seen.nonce is not None:
            updates.append(search_attributes.NONCE.value_set(seen.nonce))
        if self._start.deadline_block is not None:
            updates.append(search_attributes.DEADLINE_BLOCK.value_set(self._start.deadline_block))
        workflow.upsert_search_attributes(updates)
        facts = {
            "state": seen.ending or phase,
            "nonce": seen.nonce,
            "attempts": seen.attempts or None,
            "fee cap (wei)": seen.fee,
            "transaction": seen.tx_hash,
            "block": seen.block,
            "deadline block": self._start.deadline_block,
            "fee ceiling by a person (gwei)": self._start.ceiling_gwei,
            "why": seen.reason or self._start.cancelling,
        }
        lines = [f"- {name}: `{value}`" for name, value in facts.items() if value not in (None, "")]
        workflow.set_current_details("\n".join((f"**{self._start.title}**", "", *lines)))

    @workflow.signal(name=interventions.TAKE_CEILING)
    def take_ceiling(self, gwei: int) -> None:
        """The duty that wants this transaction was allowed to pay so much for each gas."""
        self._start = replace(self._start, ceiling_gwei=gwei)
        self._nudged = True

    @workflow.query
    def status(self) -> TransactionStatus:
        """Where the transaction stands."""
        return TransactionStatus(
            key=self._start.key,
            progress=self._progress,
            paused=self._start.paused,
            ceiling_gwei=self._start.ceiling_gwei,
            deadline_block=self._start.deadline_block,
        )

    @workflow.update(name=interventions.RETRY_NOW)
    async def retry_now(self, intervention: Intervention) -> None:
        """Look and send at once instead of after patience."""
        self._nudged = True
        await record(interventions.RETRY_NOW, intervention)

    @workflow.update(name=interventions.PAUSE)
    async def pause(self, intervention: Intervention) -> None:
        """Send nothing more, neither again nor dearer; what is out may still be mined."""
        self._start = replace(self._start, paused=True)
        await record(interventions.PAUSE, intervention)

    @workflow.update(name=interventions.RESUME)
    async def resume(self, intervention: Intervention) -> None:
        """Go on after a pause."""
        self._start = replace(self._start, paused=False)
        await record(interventions.RESUME, intervention)

    @workflow.update(name=interventions.RAISE_CEILING)
    async def raise_ceiling(self, intervention: Intervention) -> None:
        """Let the fee rise to `value` gwei for each gas, whatever the policy says."""
        self._start = replace(self._start, ceiling_gwei=intervention.value)
        self._nudged = True
        await record(interventions.RAISE_CEILING, intervention)

    @workflow.update(name=interventions.FORCE_RESUBMIT)
    async def force_resubmit(self, intervention: Intervention) -> None:
        """Offer more for the same nonce now, up to `value` gwei for each gas if one is given."""
        if intervention.value is not None:
            self._start = replace(self._start, ceiling_gwei=intervention.value)
        self._forced = self._nudged = True
        await record(interventions.FORCE_RESUBMIT, intervention)

    @workflow.update(name=interventions.CANCEL)
    async def cancel(self, intervention: Intervention) -> None:
        """Give the transaction up; its nonce, if it has one, goes to a transfer to oneself."""
        self._start = replace(self._start, cancelling=intervention.reason)
        self._nudged = True
        await record(interventions.CANCEL, intervention)

    @retry_now.validator
    @pause.validator
    @resume.validator
    @cancel.validator
    def _check(self, intervention: Intervention) -> None:
        require_signed(intervention)
        if self._progress.stage == Stage.ENDED:
            raise reject("the transaction has ended")

    @force_resubmit.validator
    def _check_resubmission(self, intervention: Intervention) -> None:
        self._check(intervention)
        if self._progress.stage == Stage.MINED:
            raise reject("the transaction is mined")
        if not self._progress.attempts:
            raise reject("the transaction was not sent yet")
        if intervention.value is not None:
            self._check_ceiling(intervention)
            least = int(self._progress.fee or 0) * 110
            if intervention.value * GWEI * 100 < least:
                raise reject("a replacement must be able to offer a tenth more")

    @raise_ceiling.validator
    def _check_ceiling(self, intervention: Intervention) -> None:
        self._check(intervention)
        if intervention.value is None or not 0 < intervention.value <= ENOUGH_GWEI:
            raise reject(f"a ceiling is 1 to {ENOUGH_GWEI} gwei")
