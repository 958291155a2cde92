"""The start of an operator: agree with the contract, follow it, bring the first tokens in."""

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from duties import names, queues, search_attributes, tasks
from duties.calendar import Calendar
from duties.synchronisation import SyncStart
from duties.tokens import Adoption, PairTerms, Registered, RegistrationStart, TokenTerms
from workflows.asking import ask
from workflows.clockwork import pause


@workflow.defn(name=names.BOOTSTRAP_WORKFLOW)
class BootstrapWorkflow:
    """Runs at every start of the operator; what is done already it finds done.

    It waits for whatever is not there yet, the terms of service among it, and fails only when
    the contract is not the one that this operator belongs to.
    """

    @workflow.run
    async def run(self) -> Adoption:
        """Make the commit-chain operable."""
        self._show("agreeing with the contract")
        adoption = await ask(tasks.ADOPT_CONTRACT, None)
        self._show("following the chain", adoption)
        await self._ensure_synchronisation(adoption.calendar)
        if workflow.patched("2026-11-25-schedules"):
            await ask(tasks.ENSURE_SCHEDULES, None)
        self._show("fetching the terms of service", adoption)
        await ask(tasks.FETCH_TERMS, None)
        self._show("admitting the operator's wallets", adoption)
        native = await ask(tasks.ADD_NATIVE_TOKEN, None)
        await self._register(adoption.sla_token, adoption.calendar)
        await ask(tasks.ADD_PAIR, PairTerms(native.address, adoption.sla_token.address))
        self._show("done", adoption)
        return adoption

    async def _ensure_synchronisation(self, calendar: Calendar) -> None:
        try:
            await workflow.start_child_workflow(
                names.CHAIN_SYNC_WORKFLOW,
                SyncStart(calendar),
                id=names.CHAIN_SYNC_ID,
                task_queue=queues.DUTY,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary="Follow the parent chain",
            )
        except WorkflowAlreadyStartedError:
            return

    async def _register(self, token: TokenTerms, calendar: Calendar) -> Registered:
        """Have the token registered, by whichever workflow does it; its end is awaited."""
        while True:
            try:
                registered: Registered = await workflow.execute_child_workflow(
                    names.TOKEN_REGISTRATION_WORKFLOW,
                    RegistrationStart(token, calendar),
                    id=names.token_registration_id(token.short_name, token.address),
                    task_queue=queues.DUTY,
                    result_type=Registered,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    static_summary=f"Register {token.short_name}",
                )
            except WorkflowAlreadyStartedError:
                await pause(calendar.poll_s, lambda: False, "its registration is under way")
            else:
                return registered

    def _show(self, phase: str, adoption: Adoption | None = None) -> None:
        workflow.upsert_search_attributes(
            [
                search_attributes.DUTY.value_set("bootstrap"),
                search_attributes.PHASE.value_set(phase),
            ]
        )
        lines = [f"**Start of the operator**: {phase}", ""]
        if adoption is not None:
            lines += [
                f"- contract: `0x{adoption.contract}` ({adoption.edition})",
                f"- genesis block `{adoption.calendar.genesis_block}`, "
                f"`{adoption.calendar.blocks_per_eon}` blocks an eon",
            ]
        workflow.set_current_details("\n".join(lines))
