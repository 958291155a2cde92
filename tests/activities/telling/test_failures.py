"""Activities that keep failing, and duties that stand still, are told to people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from structlog.contextvars import get_contextvars

    from activities.failures import FailureReports
    from activities.lookout import Lookout
    from chain.errors import NodeUnavailable
    from duties import alarms
    from ledger.alarms import raise_alarm
    from models import Alarm, ChainView
    from tests.ledger.world import World

pytestmark = pytest.mark.asyncio


class Failing:
    """An activity that fails as it is told, then raises an alarm of its own."""

    def __init__(self, ledger: World, errors: list[Exception]) -> None:
        self.ledger = ledger
        self.errors = errors
        self.seen: list[str] = []
        self.bound: list[dict[str, object]] = []

    @activity.defn(name="work")
    def work(self) -> None:
        """Fail with the next error, if there is one left."""
        self.bound.append(get_contextvars())
        with self.ledger.begin() as session:
            self.seen += session.scalars(
                select(Alarm.message).where(
                    Alarm.subject == alarms.DUTY_FAILING, Alarm.cleared_at.is_(None)
                )
            )
        if self.errors:
            raise self.errors.pop(0)
        with self.ledger.begin() as session:
            raise_alarm(session, "warning", alarms.FUEL, "0xab", "5 wei")


@workflow.defn(name="Duty")
class Duty:
    """One activity until it succeeds."""

    @workflow.run
    async def run(self) -> None:
        """Ask for it."""
        await workflow.execute_activity(
            "work",
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1)),
        )


async def carry_out(
    environment: WorkflowEnvironment, ledger: World, errors: list[Exception]
) -> Failing:
    failing = Failing(ledger, errors)
    reports = FailureReports(ledger.sessions, lambda text: text.replace("secret", "***"))
    with ThreadPoolExecutor(2) as threads:
        async with Worker(
            environment.client,
            task_queue="duties",
            workflows=[Duty],
            activities=[failing.work],
            activity_executor=threads,
            interceptors=[reports],
        ):
            await environment.client.execute_workflow("Duty", id="eon-9", task_queue="duties")
    return failing


def rows(ledger: World) -> dict[str, Alarm]:
    with ledger.begin() as session:
        return {row.subject: row for row in session.scalars(select(Alarm))}


async def test_an_activity_that_keeps_failing_is_an_alarm_until_it_succeeds(
    ledger: World, time_skipping_environment: WorkflowEnvironment
) -> None:
    errors: list[Exception] = [ValueError(f"the secret {number}") for number in range(5)]
    failing = await carry_out(time_skipping_environment, ledger, errors)
    assert failing.seen == [
        f"work, attempt {attempt}: ValueError: the *** {attempt - 1}" for attempt in (3, 4, 5)
    ]
    alarm = rows(ledger)[alarms.DUTY_FAILING]
    assert (alarm.object, alarm.duty, alarm.occurrences) == ("eon-9", "eon-9", 3)
    assert alarm.cleared_at is not None
    # What it logs names duty, activity and attempt.
    assert failing.bound == [
        {"workflow": "eon-9", "activity": "work", "attempt": attempt} for attempt in range(1, 7)
    ]
    # An alarm that an activity raises itself names the duty too, from its own thread.
    assert rows(ledger)[alarms.FUEL].duty == "eon-9"


async def test_what_is_expected_or_told_elsewhere_is_no_alarm(
    ledger: World, time_skipping_environment: WorkflowEnvironment
) -> None:
    errors: list[Exception] = [NodeUnavailable("away") for _ in range(4)]
    benign = ApplicationErrorCategory.BENIGN
    errors += [ApplicationError("not yet", category=benign) for _ in range(2)]
    await carry_out(time_skipping_environment, ledger, errors)
    assert set(rows(ledger)) == {alarms.FUEL}


async def test_duties_that_stand_still_are_seen_without_temporal(ledger: World) -> None:
    lookout = Lookout(ledger.sessions, patience_s=60)
    ledger.move_to_eon(2)
    assert not lookout.look()
    with ledger.begin() as session:
        session.execute(update(ChainView).values(seen_at=func.now() - timedelta(seconds=90)))
    assert lookout.look()
    alarm = rows(ledger)[alarms.DUTIES_STALLED]
    assert alarm.severity == "critical" and alarm.cleared_at is None
    ledger.move_to_eon(2)
    assert not lookout.look()
    assert rows(ledger)[alarms.DUTIES_STALLED].cleared_at is not None


async def test_a_silent_node_is_not_reported_twice(ledger: World) -> None:
    ledger.move_to_eon(2)
    with ledger.begin() as session:
        session.execute(update(ChainView).values(seen_at=func.now() - timedelta(seconds=90)))
        raise_alarm(session, "critical", alarms.NODE_UNREACHABLE, "node", "away")
    assert not Lookout(ledger.sessions, patience_s=60).look()
    assert alarms.DUTIES_STALLED not in rows(ledger)
