"""The schedules on a real Temporal server: made once, corrected, and left to people."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleOverlapPolicy
from temporalio.testing import ActivityEnvironment

from activities.scheduling import Scheduling
from cli import main
from duties import queues, schedules
from models import InterventionRecord
from models.engine import open_engine, open_sessions
from stack.temporal import TemporalDevServer
from tests.api.serving import eventually
from tests.workflows.scripted import Script, at_work, calendar

pytestmark = pytest.mark.asyncio


async def ensure(client: Client) -> int:
    return int(await ActivityEnvironment().run(Scheduling(client).ensure_schedules))


async def test_schedules_are_made_once_and_skip_what_overlaps(temporal: Client) -> None:
    assert await ensure(temporal) == len(schedules.ALL)
    assert await ensure(temporal) == 0
    for plan in schedules.ALL:
        found = (await temporal.get_schedule_handle(plan.id).describe()).schedule
        assert found.policy.overlap == ScheduleOverlapPolicy.SKIP
        assert found.policy.catchup_window == timedelta(minutes=10)
        assert [interval.every for interval in found.spec.intervals] == [plan.every]
        assert isinstance(found.action, ScheduleActionStartWorkflow)
        assert found.action.workflow == plan.workflow


async def test_a_new_interval_is_taken_up_and_a_persons_pause_kept(
    temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ensure(temporal)
    fuel = temporal.get_schedule_handle("fuel")
    await fuel.pause(note="kim: the node is being moved")
    plans = tuple(
        replace(plan, every=timedelta(minutes=7)) if plan.id == "fuel" else plan
        for plan in schedules.ALL
    )
    monkeypatch.setattr(schedules, "ALL", plans)
    assert await ensure(temporal) == 1
    found = (await fuel.describe()).schedule
    assert [interval.every for interval in found.spec.intervals] == [timedelta(minutes=7)]
    assert found.state.paused and found.state.note == "kim: the node is being moved"


async def test_every_schedule_runs_at_once_and_when_a_person_triggers_it(
    temporal: Client,
) -> None:
    script = Script(None, calendar())  # type: ignore[arg-type]
    async with at_work(temporal, script):
        await ensure(temporal)
        await asyncio.gather(*(_until_run(temporal, plan.id, 1) for plan in schedules.ALL))
        await temporal.get_schedule_handle("fuel").trigger()
        await _until_run(temporal, "fuel", 2)
    assert script.count("check_fuel") == 2


async def test_a_person_pauses_triggers_and_resumes_by_command(
    temporal: Client, temporal_dev_server: TemporalDevServer, database_url: str
) -> None:
    environment = {
        "HUB_DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_dev_server.address,
        "TEMPORAL_NAMESPACE": temporal.namespace,
    }

    async def command(*arguments: str) -> Result:
        runner = CliRunner()
        return await asyncio.to_thread(
            runner.invoke, main, ["schedule", *arguments], env=environment
        )

    reason = ("--reason", "the node is being moved", "--actor", "kim")
    missing = await command("trigger", "fuel", *reason)
    assert missing.exit_code == 1 and "there is no schedule fuel yet" in missing.output
    await ensure(temporal)
    assert (await command("pause", "fuel", *reason)).exit_code == 0
    assert "paused" in (await command("list")).output
    found = await temporal.get_schedule_handle("fuel").describe()
    assert found.schedule.state.paused
    assert found.schedule.state.note == "kim: the node is being moved"
    assert (await command("resume", "fuel", *reason)).exit_code == 0
    assert (await command("trigger", "fuel", *reason)).exit_code == 0
    assert not (await temporal.get_schedule_handle("fuel").describe()).schedule.state.paused
    engine = open_engine(database_url, application_name="tests")
    with open_sessions(engine).begin() as session:
        acts = session.execute(select(InterventionRecord.action, InterventionRecord.subject))
        assert [tuple(act) for act in acts] == [
            (action, "schedule fuel") for action in ("pause", "resume", "trigger")
        ]
    engine.dispose()


async def _until_run(client: Client, schedule: str, times: int) -> None:
    """Wait until runs of a schedule, whose ids begin with its own, have ended well."""

    async def has_run() -> bool:
        query = f"WorkflowId STARTS_WITH '{schedule}-' AND ExecutionStatus = 'Completed'"
        found = [one async for one in client.list_workflows(query)]
        assert all(one.task_queue == queues.DUTY for one in found)
        return len(found) >= times

    await eventually(has_run, 30.0)
