"""The schedules of Temporal, brought into line with the plans of this version."""

from __future__ import annotations

from typing import Final

from temporalio import activity
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from duties import queues, schedules, tasks
from duties.schedules import CATCH_UP, Plan

NOTE: Final = "made by the operator at its start"


class Scheduling:
    """Carries out `ensure_schedules`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name=tasks.ENSURE_SCHEDULES.name)
    async def ensure_schedules(self) -> int:
        """Make every schedule that is missing and correct those that differ; returns how many.

        A schedule that is new begins with a run at once. One that a person has paused stays so.
        """
        changed = 0
        for plan in schedules.ALL:
            changed += await self._ensure(plan)
        return changed

    async def _ensure(self, plan: Plan) -> bool:
        try:
            await self._client.create_schedule(plan.id, schedule_of(plan), trigger_immediately=True)
        except ScheduleAlreadyRunningError:
            return await self._correct(plan)
        return True

    async def _correct(self, plan: Plan) -> bool:
        wanted, differs = schedule_of(plan), False

        def correct(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
            nonlocal differs
            schedule = found.description.schedule
            differs = _essence(schedule) != _essence(wanted)
            if not differs:
                return None
            wanted.state = schedule.state
            return ScheduleUpdate(wanted)

        await self._client.get_schedule_handle(plan.id).update(correct)
        return differs


def schedule_of(plan: Plan) -> Schedule:
    """The schedule that carries out a plan; a run that is still at work lets the next one pass."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            plan.workflow,
            id=plan.id,
            task_queue=queues.DUTY,
            static_summary=plan.summary,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=plan.every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )
    schedule.state.note = NOTE
    return schedule


def _essence(schedule: Schedule) -> tuple[object, ...]:
    """What a plan decides of a schedule."""
    action = schedule.action
    started = (
        (action.workflow, action.id, action.task_queue)
        if isinstance(action, ScheduleActionStartWorkflow)
        else ()
    )
    every = [(one.every, one.offset) for one in schedule.spec.intervals]
    return started, every, schedule.policy.overlap, schedule.policy.catchup_window
