"""Following the chain for ever, one bounded turn after another."""

from dataclasses import replace

from temporalio import workflow

from duties import interventions, names, search_attributes, tasks
from duties.interventions import Intervention
from duties.synchronisation import FollowChain, Followed, Resync, SyncStart, SyncStatus
from workflows.asking import ask, ask_until, record, update_id
from workflows.messages import reject, require_signed

LONGEST_POLL_S = 60
LOOKS_IN_AN_EON = 40
"""At least so many, ten while a challenge may be answered, however seldom a person wants them."""


@workflow.defn(name=names.CHAIN_SYNC_WORKFLOW)
class ChainSyncWorkflow:
    """Keeps the ledger's view of the chain; the one duty that never ends.

    After a reorganisation below what was confirmed it goes on with the head view only: nothing is
    credited until a person says that the node's branch counts.
    """

    @workflow.init
    def __init__(self, start: SyncStart) -> None:
        self._calendar = start.calendar
        self._repaced = False
        self._paused = start.paused
        self._reorganisations = start.reorganisations
        self._followed: Followed | None = None
        self._stopped = ""
        self._split = start.split

    @workflow.run
    async def run(self, start: SyncStart) -> None:
        """Follow the chain; a long history is continued in a new run."""
        self._show()
        while not workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(lambda: not self._paused and not self._stopped)
            self._repaced = False
            followed = await ask_until(
                tasks.FOLLOW_CHAIN,
                FollowChain(self._calendar),
                lambda: self._paused or self._repaced,
            )
            if followed is not None:
                self._followed = followed
                self._stopped = followed.stopped
                self._split = followed.split
                self._reorganisations += followed.reorganisations
            self._show()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(
            SyncStart(self._calendar, self._reorganisations, self._paused, self._split)
        )

    def _show(self) -> None:
        parted = self._stopped or self._split
        state = "paused" if self._paused else "split" if parted else "following"
        workflow.upsert_search_attributes(
            [
                search_attributes.DUTY.value_set("chain-sync"),
                search_attributes.PHASE.value_set(state),
                search_attributes.PAUSED.value_set(self._paused),
                search_attributes.BLOCKED.value_set(bool(parted)),
            ]
        )
        lines = [f"**Following the parent chain**: {state}", ""]
        if self._followed is not None:
            seen = self._followed
            lines += [
                f"- head: `{seen.head_block}`, confirmed: `{seen.confirmed_block}`",
                f"- eon `{seen.eon}`, block `{seen.sub_block}` of it",
                f"- reorganisations met: `{self._reorganisations}`",
                f"- looked at every `{self._calendar.poll_s:g}` s",
            ]
        if parted:
            lines.append(f"- **a person must decide** (`resync_from`): {parted}")
        workflow.set_current_details("\n".join(lines))

    @workflow.query
    def status(self) -> SyncStatus:
        """Where the chain stood after the last turn."""
        return SyncStatus(self._followed, self._reorganisations, self._paused)

    @workflow.update(name=interventions.PAUSE)
    async def pause(self, intervention: Intervention) -> None:
        """Stop looking at the chain: the ledger's clock stands still meanwhile."""
        self._paused = True
        await record(interventions.PAUSE, intervention)

    @workflow.update(name=interventions.RESUME)
    async def resume(self, intervention: Intervention) -> None:
        """Go on after a pause."""
        self._paused = False
        await record(interventions.RESUME, intervention)

    @workflow.update(name=interventions.RESYNC_FROM)
    async def resync_from(self, intervention: Intervention) -> int:
        """Let the node's branch count from block `value` on; returns how many events were undone.

        Refused by the ledger if one of them has entered a checkpoint.
        """
        return await self._resynchronise(intervention, keeps_committed=False)

    @workflow.update(name=interventions.KEEP_COMMITTED)
    async def keep_committed(self, intervention: Intervention) -> int:
        """As `resync_from`, but what has entered a checkpoint stays; the operator covers it."""
        return await self._resynchronise(intervention, keeps_committed=True)

    @workflow.update(name=interventions.SET_POLL_SECONDS)
    async def set_poll_seconds(self, intervention: Intervention) -> None:
        """Look at the chain every `value` seconds, until another value is set."""
        self._calendar = replace(self._calendar, poll_s=float(intervention.value or 0))
        self._repaced = True
        await record(interventions.SET_POLL_SECONDS, intervention)

    @set_poll_seconds.validator
    def _check_poll(self, intervention: Intervention) -> None:
        require_signed(intervention)
        eon_s = self._calendar.blocks_per_eon * self._calendar.block_time_s
        longest_s = int(min(LONGEST_POLL_S, eon_s / LOOKS_IN_AN_EON))
        if intervention.value is None or not 1 <= intervention.value <= longest_s:
            raise reject(
                f"{longest_s} whole seconds are the longest that this chain is not looked at"
            )

    async def _resynchronise(self, intervention: Intervention, *, keeps_committed: bool) -> int:
        order = Resync(
            intervention.value or 0,
            intervention.actor,
            intervention.reason,
            update_id(),
            keeps_committed,
        )
        undone = await ask(tasks.RESYNCHRONISE, order)
        self._stopped = self._split = ""
        return undone

    @pause.validator
    @resume.validator
    def _check(self, intervention: Intervention) -> None:
        require_signed(intervention)

    @resync_from.validator
    @keep_committed.validator
    def _check_resync(self, intervention: Intervention) -> None:
        require_signed(intervention)
        if not self._stopped and not self._split:
            raise reject("the chain is being followed: there is nothing to resynchronise")
        if intervention.value is None or intervention.value < self._calendar.genesis_block:
            raise reject("resynchronising starts at a block of this commit-chain")
