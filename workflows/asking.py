"""How workflows ask for activities: by the shared table of tasks."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ActivityError

from duties import tasks
from duties.alarms import AlarmKey, AlarmNote
from duties.calendar import View
from duties.interventions import Intervention, InterventionNote
from duties.task import Task

Argument = TypeVar("Argument")
Result = TypeVar("Result")


async def ask(
    task: Task[Argument, Result],
    argument: Argument,
    *,
    summary: str = "",
    priority: int | None = None,
    urgently: bool = False,
) -> Result:
    """Carry out a task with its queue and limits; `summary` is shown in the Temporal UI.

    `urgently`: in the queue that only vital duties use, where nothing else can be in the way.
    """
    result: Result = await workflow.execute_activity(
        task.name,
        args=[] if argument is None else [argument],
        task_queue=task.urgent_queue if urgently and task.urgent_queue else task.queue,
        result_type=task.result,
        start_to_close_timeout=task.time_limit,
        heartbeat_timeout=task.heartbeat,
        retry_policy=task.retry,
        summary=summary or None,
        priority=Priority.default if priority is None else Priority(priority_key=priority),
    )
    return result


async def ask_until(
    task: Task[Argument, Result], argument: Argument, wake: Callable[[], bool]
) -> Result | None:
    """Carry out a long task, but give it up as soon as `wake` holds; None then."""
    running = workflow.start_activity(
        task.name,
        args=[argument],
        task_queue=task.queue,
        result_type=task.result,
        start_to_close_timeout=task.time_limit,
        heartbeat_timeout=task.heartbeat,
        retry_policy=task.retry,
    )
    await workflow.wait_condition(lambda: running.done() or wake())
    if running.done():
        result: Result = running.result()
        return result
    running.cancel()
    with suppress(ActivityError):
        await running
    return None


async def read_view() -> View:
    """The ledger's view of the chain, now."""
    return await ask(tasks.READ_VIEW, None)


async def raise_alarm(severity: str, subject: str, about: str, message: str) -> None:
    """Tell the people who watch; once, until it is cleared."""
    await ask(tasks.RAISE_ALARM, AlarmNote(severity, subject, about, message), summary=subject)


async def clear_alarm(subject: str, about: str) -> None:
    """Take an alarm back whose cause has ended."""
    await ask(tasks.CLEAR_ALARM, AlarmKey(subject, about))


async def record(action: str, intervention: Intervention) -> None:
    """Write down who did what to this duty, and why."""
    await ask(
        tasks.RECORD_INTERVENTION,
        InterventionNote(
            actor=intervention.actor,
            action=action,
            subject=workflow.info().workflow_id,
            reason=intervention.reason,
            update_id=update_id(),
            value="" if intervention.value is None else str(intervention.value),
        ),
        summary=action,
    )


def update_id() -> str:
    """The name that the caller gave to the update that is being handled, empty outside of one."""
    update = workflow.current_update_info()
    return "" if update is None else update.id
