"""Having too large withdrawal requests of one wallet cancelled, until they are gone."""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from duties import interventions, names, search_attributes, tasks
from duties.eons import Opening, Readiness
from duties.interventions import Intervention
from duties.slashes import OpenSlash, SlashBook, SlashStart, SlashStatus
from duties.transactions import Ending
from workflows.asking import ask, record
from workflows.clockwork import pause
from workflows.messages import require_signed
from workflows.sending import carry_out

PRIORITY = 2
SETTLING_POLLS = 5
LONGEST_PAUSE_S = 60.0


@workflow.defn(name=names.SLASH_WORKFLOW)
class SlashWorkflow:
    """Carries one decision of the ledger out; the ledger's rows say when it is done.

    A transaction that failed, for whatever reason, leads to another look at what the contract
    lists: if the requests are gone, somebody else slashed; if not, another marker is chosen.
    """

    @workflow.init
    def __init__(self, start: SlashStart) -> None:
        self._start = start
        self._book = SlashBook()
        self._phase = "deciding"
        self._revision = 0
        self._waits = 0
        self._woken = False

    @workflow.run
    async def run(self, start: SlashStart) -> SlashBook:
        """Slash until none of the decision's requests is left, or the ledger has given it up."""
        while True:
            self._woken = False
            self._book = await ask(tasks.READ_SLASH, start.order)
            if self._book.open_requests == 0:
                self._show(self._book.status)
                break
            await self._turn()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._book

    async def _turn(self) -> None:
        self._show("checking")
        order = OpenSlash(self._start.order, self._revision + 1)
        opening = await ask(tasks.OPEN_SLASH, order)
        if opening.readiness == Readiness.READY:
            self._revision += 1
            await self._slash(opening)
        elif opening.readiness != Readiness.BLOCKED:
            await self._wait(opening.reason)

    async def _slash(self, opening: Opening) -> None:
        one = self._start.order
        self._show("slashing")
        title = f"Cancel {self._book.total} {one.short_name} requested by 0x{one.address}"
        outcome = await carry_out(opening, title, self._start.calendar, priority=PRIORITY)
        if outcome.ending == Ending.CONFIRMED:
            self._waits = 0
            await self._wait("slashed, the event is being confirmed")
        else:
            await self._wait(f"{outcome.key}: {outcome.ending} {outcome.reason}")

    async def _wait(self, reason: str) -> None:
        """Wait longer each time, so that a long wait stays a short history."""
        self._show(reason)
        seconds = SETTLING_POLLS * self._start.calendar.poll_s * 2 ** min(self._waits, 6)
        self._waits += 1
        await pause(min(seconds, LONGEST_PAUSE_S), lambda: self._woken, reason)

    def _show(self, phase: str) -> None:
        one, book = self._start.order, self._book
        self._phase = phase
        updates: list[SearchAttributeUpdate[Any]] = [
            search_attributes.DUTY.value_set("slash"),
            search_attributes.PHASE.value_set(phase[:100]),
            search_attributes.TOKEN.value_set(one.short_name),
            search_attributes.WALLET.value_set(f"0x{one.address}"),
            search_attributes.EON.value_set(one.eon),
        ]
        if book.deadline_block is not None:
            updates.append(search_attributes.DEADLINE_BLOCK.value_set(book.deadline_block))
        workflow.upsert_search_attributes(updates)
        lines = [
            f"**Slash of {one.short_name} requested by `0x{one.address}`**: {phase}",
            "",
            f"- requests to be cancelled: `{book.open_requests}`, in all `{book.total}` units",
            f"- the last block that can cancel them: `{book.deadline_block}`",
            f"- transactions so far: `{self._revision}`",
        ]
        workflow.set_current_details("\n".join(lines))

    @workflow.query
    def status(self) -> SlashStatus:
        """What is to be dropped and how far that is."""
        return SlashStatus(book=self._book, phase=self._phase, revision=self._revision)

    @workflow.update(name=interventions.RETRY_NOW)
    async def retry_now(self, intervention: Intervention) -> None:
        """Look again at once."""
        self._woken = True
        await record(interventions.RETRY_NOW, intervention)

    @retry_now.validator
    def _check(self, intervention: Intervention) -> None:
        require_signed(intervention)
