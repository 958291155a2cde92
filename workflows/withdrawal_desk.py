"""The desk of one wallet of one token: pays its requests when the contract allows."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

from duties import alarms, interventions, names, search_attributes, tasks
from duties.eons import Opening, Readiness
from duties.interventions import Intervention
from duties.transactions import Ending
from duties.withdrawals import DeskBook, DeskStart, DeskStatus, OpenConfirmation
from workflows.asking import ask, clear_alarm, raise_alarm, record
from workflows.clockwork import pause, until_block
from workflows.messages import require_signed
from workflows.sending import carry_out

PRIORITY = 5
SETTLING_POLLS = 10
BLOCKED_RETRY = timedelta(days=1)


@workflow.defn(name=names.WITHDRAWAL_DESK_WORKFLOW)
class WithdrawalDeskWorkflow:
    """Opens with a wallet's first request and closes with its last.

    It believes the ledger's rows only: signals say that they changed, never how. Payments settle
    by the contract's confirmed event, whoever sent the transaction.
    """

    @workflow.init
    def __init__(self, start: DeskStart) -> None:
        self._start = start
        self._book = DeskBook()
        self._blocked = ""
        self._woken = False
        self._revision = 1
        self._covered = 0

    @workflow.run
    async def run(self, start: DeskStart) -> None:
        """Keep the desk until no request is open."""
        while True:
            self._woken = False
            self._book = await ask(tasks.READ_DESK, start.desk)
            self._show("open" if self._book.open_requests else "closed")
            if self._book.first_payable_block is not None:
                await workflow.wait_condition(lambda: not self._start.paused)
                await self._serve(self._book.first_payable_block)
                if workflow.info().is_continue_as_new_suggested():
                    await workflow.wait_condition(workflow.all_handlers_finished)
                    workflow.continue_as_new(self._start)
                continue
            await workflow.wait_condition(workflow.all_handlers_finished)
            if not self._woken:
                return

    async def _serve(self, payable: int) -> None:
        """Wait for the calendar, check at the head, pay, and wait for the event that settles."""
        if self._book.newest_request != self._covered:
            self._covered, self._revision = self._book.newest_request, 1
        self._show("waiting for the calendar")
        view = await until_block(self._start.calendar, payable, self._is_interrupted)
        if view.latest_block < payable or self._start.paused:
            return
        self._show("checking")
        opening = await ask(
            tasks.OPEN_CONFIRMATION, OpenConfirmation(self._start.desk, self._revision)
        )
        if opening.readiness == Readiness.READY:
            await self._pay(opening)
        elif opening.readiness == Readiness.BLOCKED:
            await self._wait_blocked(opening.reason)
        else:
            await self._wait_for_events(opening.reason)

    async def _pay(self, opening: Opening) -> None:
        desk = self._start.desk
        self._show("paying")
        title = f"Pay {self._book.total} {desk.short_name} to 0x{desk.address}"
        outcome = await carry_out(opening, title, self._start.calendar, priority=PRIORITY)
        self._revision += 1
        if outcome.ending == Ending.CONFIRMED:
            await self._unblock()
            await self._wait_for_events("paid, the event is being confirmed")
        elif outcome.ending == Ending.REVERTED:
            await self._wait_blocked(f"the payment reverted: {outcome.reason}")
        else:
            await self._wait_for_events(outcome.reason)

    async def _wait_for_events(self, reason: str) -> None:
        self._show(reason)
        seconds = SETTLING_POLLS * self._start.calendar.poll_s
        await pause(seconds, self._is_interrupted, reason)

    async def _wait_blocked(self, reason: str) -> None:
        """Call a person; the holder can confirm himself meanwhile. Tried again once a day."""
        self._blocked = reason
        self._show("blocked")
        about = workflow.info().workflow_id
        await raise_alarm(alarms.WARNING, alarms.WITHDRAWAL_BLOCKED, about, reason)
        await pause(BLOCKED_RETRY.total_seconds(), self._is_interrupted, reason)
        await self._unblock()

    async def _unblock(self) -> None:
        if self._blocked:
            self._blocked = ""
            await clear_alarm(alarms.WITHDRAWAL_BLOCKED, workflow.info().workflow_id)

    def _is_interrupted(self) -> bool:
        return self._woken or self._start.paused

    def _show(self, phase: str) -> None:
        desk = self._start.desk
        workflow.upsert_search_attributes(
            [
                search_attributes.DUTY.value_set("withdrawal"),
                search_attributes.PHASE.value_set("blocked" if self._blocked else phase),
                search_attributes.TOKEN.value_set(desk.short_name),
                search_attributes.WALLET.value_set(f"0x{desk.address}"),
                search_attributes.BLOCKED.value_set(bool(self._blocked)),
                search_attributes.PAUSED.value_set(self._start.paused),
            ]
        )
        lines = [
            f"**Withdrawals of {desk.short_name} by `0x{desk.address}`**: {phase}",
            "",
            f"- open requests: `{self._book.open_requests}`, in all `{self._book.total}` units",
            f"- first payable block: `{self._book.first_payable_block}`",
        ]
        if self._blocked:
            lines.append(f"- **blocked**: {self._blocked}")
        workflow.set_current_details("\n".join(lines))

    @workflow.signal
    def wake(self) -> None:
        """The wallet's requests changed in the ledger."""
        self._woken = True

    @workflow.query
    def status(self) -> DeskStatus:
        """The desk's book and what it waits for."""
        return DeskStatus(
            book=self._book,
            blocked=self._blocked,
            paused=self._start.paused,
            next_wake_block=self._book.first_payable_block,
        )

    @workflow.update(name=interventions.RETRY_NOW)
    async def retry_now(self, intervention: Intervention) -> None:
        """Look again at once, blocked or not."""
        self._woken = True
        await record(interventions.RETRY_NOW, intervention)

    @workflow.update(name=interventions.PAUSE)
    async def pause(self, intervention: Intervention) -> None:
        """Pay nothing until resumed."""
        self._start = replace(self._start, paused=True)
        await record(interventions.PAUSE, intervention)

    @workflow.update(name=interventions.RESUME)
    async def resume(self, intervention: Intervention) -> None:
        """Go on after a pause."""
        self._start = replace(self._start, paused=False)
        await record(interventions.RESUME, intervention)

    @retry_now.validator
    @pause.validator
    @resume.validator
    def _check(self, intervention: Intervention) -> None:
        require_signed(intervention)
