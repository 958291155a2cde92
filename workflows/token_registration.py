"""A token's way from a person's wish to a trail under which wallets can be admitted."""

from temporalio import workflow

from duties import alarms, names, search_attributes, tasks
from duties.eons import Readiness
from duties.tokens import OpenRegistration, Registered, RegistrationStart
from duties.transactions import Ending
from workflows.asking import ask, clear_alarm, raise_alarm
from workflows.clockwork import pause
from workflows.messages import reject
from workflows.sending import carry_out

PRIORITY = 4
WAITING_POLLS = 10


@workflow.defn(name=names.TOKEN_REGISTRATION_WORKFLOW)
class TokenRegistrationWorkflow:
    """Registers a token on chain unless it is, then activates it under the trail it was given.

    Trails follow the order of the confirmed registrations: the ledger takes the contract's word.
    """

    @workflow.run
    async def run(self, start: RegistrationStart) -> Registered:
        """Register and activate; fails only for what must never be a token."""
        about = workflow.info().workflow_id
        self._show(start, "registering")
        revision = 1
        while True:
            opening = await ask(tasks.OPEN_REGISTRATION, OpenRegistration(start.token, revision))
            if opening.readiness == Readiness.DONE:
                break
            if opening.readiness == Readiness.BLOCKED:
                await raise_alarm(alarms.WARNING, alarms.TOKEN_BLOCKED, about, opening.reason)
                raise reject(opening.reason)
            title = f"Register {start.token.short_name} on chain"
            outcome = await carry_out(opening, title, start.calendar, priority=PRIORITY)
            if outcome.ending == Ending.CONFIRMED:
                break
            self._show(start, f"{outcome.ending}: {outcome.reason}")
            revision += 1
            await pause(WAITING_POLLS * start.calendar.poll_s, lambda: False, outcome.reason)
        self._show(start, "activating")
        registered = await ask(tasks.ACTIVATE_TOKEN, start.token)
        await clear_alarm(alarms.TOKEN_BLOCKED, about)
        self._show(start, f"active with trail {registered.trail}")
        return registered

    def _show(self, start: RegistrationStart, phase: str) -> None:
        workflow.upsert_search_attributes(
            [
                search_attributes.DUTY.value_set("token"),
                search_attributes.TOKEN.value_set(start.token.short_name),
                search_attributes.PHASE.value_set(phase),
            ]
        )
        token = start.token
        workflow.set_current_details(
            f"**{token.name} ({token.short_name})** at `0x{token.address}`: {phase}"
        )
