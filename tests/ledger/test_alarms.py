"""Alarms and what people are told of them: when, how often, and that it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update

from ledger.alarm_outbox import Outgoing, assign_due, claim, note_delivered, note_failed
from ledger.alarms import QUIET, QUIET_IF_CRITICAL, acting_for, clear_alarm, raise_alarm
from models import Alarm, AlarmDelivery, AlarmMessage
from models.engine import open_engine, open_sessions
from stack.postgres import EmbeddedPostgres
from tests.ledger.world import World, make_rules

MINUTE = timedelta(minutes=1)
CHANNELS = ("hook", "mail")


@pytest.fixture(scope="module")
def shared(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[World]:
    """One ledger for all of these tests: they leave nothing but alarms."""
    name = f"test_{uuid4().hex}"
    postgres_server.create_database(name, migrated_template)
    engine = open_engine(postgres_server.url(name), application_name="tests")
    world = World(engine, open_sessions(engine), make_rules())
    world.bootstrap()
    yield world
    engine.dispose()
    postgres_server.drop_database(name)


@pytest.fixture
def ledger(shared: World) -> Iterator[World]:
    """The shared ledger without alarms."""
    yield shared
    with shared.begin() as session:
        for table in (AlarmDelivery, AlarmMessage, Alarm):
            session.execute(delete(table))


def let_pass(ledger: World, time: timedelta) -> None:
    """Move everything that was written so far into the past."""
    with ledger.begin() as session:
        for column in (
            Alarm.time,
            Alarm.cleared_at,
            AlarmMessage.time,
            AlarmMessage.due_at,
            AlarmMessage.assigned_at,
            AlarmDelivery.due_at,
        ):
            session.execute(update(column.class_).values({column.key: column - time}))


def raise_(ledger: World, severity: str = "warning", message: str = "it fails") -> None:
    with ledger.begin() as session:
        raise_alarm(session, severity, "duty failing", "eon-3", message)  # type: ignore[arg-type]


def clear(ledger: World) -> None:
    with ledger.begin() as session:
        clear_alarm(session, "duty failing", "eon-3")


def take(ledger: World, *channels: str) -> list[Outgoing]:
    """What leaves now; it arrives."""
    with ledger.begin() as session:
        assign_due(session, channels or ("hook",), 100)
        taken = claim(session, channels or ("hook",), 100)
        for one in taken:
            note_delivered(session, one)
    return taken


def told(ledger: World) -> list[str]:
    """The kinds and texts that leave now."""
    return [f"{one.kind}: {one.message}" for one in take(ledger)]


def test_a_condition_is_told_once_an_hour_however_often_it_occurs(ledger: World) -> None:
    for number in range(200):
        raise_(ledger, message=f"failure {number}")
        if number % 50 == 0:
            told_now = told(ledger)
            assert told_now == ([] if number else ["raised: failure 0"])
    let_pass(ledger, QUIET - MINUTE)
    assert told(ledger) == []
    let_pass(ledger, 2 * MINUTE)
    assert told(ledger) == ["raised: failure 199"]
    # It does not occur any more, though it has not ended: nothing new to tell.
    let_pass(ledger, 3 * QUIET)
    assert told(ledger) == []


def test_a_critical_condition_is_told_every_ten_minutes_at_most(ledger: World) -> None:
    raise_(ledger, "critical", "40 blocks left")
    assert told(ledger) == ["raised: 40 blocks left"]
    for left in range(39, 30, -1):
        raise_(ledger, "critical", f"{left} blocks left")
    let_pass(ledger, QUIET_IF_CRITICAL - MINUTE)
    assert told(ledger) == []
    let_pass(ledger, MINUTE)
    assert told(ledger) == ["raised: 31 blocks left"]


def test_what_gets_worse_is_told_at_once_and_never_looks_better(ledger: World) -> None:
    raise_(ledger, "warning")
    assert [one.severity for one in take(ledger)] == ["warning"]
    raise_(ledger, "critical")
    assert [one.severity for one in take(ledger)] == ["critical"]
    raise_(ledger, "warning")
    with ledger.begin() as session:
        assert session.scalars(select(Alarm.severity)).all() == ["critical"]
    assert take(ledger) == []


def test_the_end_is_told_once_it_has_lasted_a_moment(ledger: World) -> None:
    raise_(ledger)
    assert told(ledger) == ["raised: it fails"]
    clear(ledger)
    assert told(ledger) == []
    let_pass(ledger, MINUTE)
    assert told(ledger) == ["resolved: it fails"]
    clear(ledger)
    let_pass(ledger, MINUTE)
    assert told(ledger) == []


def test_a_condition_that_comes_and_goes_is_told_once_and_ended_once(ledger: World) -> None:
    raise_(ledger)
    assert told(ledger) == ["raised: it fails"]
    for _ in range(20):
        clear(ledger)
        raise_(ledger)
    clear(ledger)
    let_pass(ledger, MINUTE)
    assert told(ledger) == ["resolved: it fails"]
    for _ in range(20):
        raise_(ledger)
        clear(ledger)
    let_pass(ledger, MINUTE)
    assert told(ledger) == []
    # It came back within the hour and stayed: it is told when the hour is over.
    raise_(ledger, message="again")
    let_pass(ledger, QUIET)
    assert told(ledger) == ["raised: again"]


def test_a_rolled_back_change_tells_nothing(ledger: World) -> None:
    with pytest.raises(ZeroDivisionError), ledger.begin() as session:
        raise_alarm(session, "critical", "halted", "eon-1", "no root")
        _ = 1 // 0
    assert take(ledger) == []


def test_a_message_names_the_duty_the_eon_and_how_often(ledger: World) -> None:
    ledger.move_to_eon(4)
    for _ in range(3):
        with acting_for("tx-checkpoint-4-r1"):
            raise_(ledger)
    (message,) = take(ledger)
    assert (message.duty, message.eon, message.occurrences) == ("tx-checkpoint-4-r1", 4, 3)
    assert (message.subject, message.about) == ("duty failing", "eon-3")
    with acting_for("eon-4"), ledger.begin() as session:
        assert raise_alarm(session, "warning", "late", "x", "new")
        assert not raise_alarm(session, "warning", "late", "x", "not new")


def test_a_failed_delivery_is_tried_again_on_its_own_channel_only(ledger: World) -> None:
    raise_(ledger)
    with ledger.begin() as session:
        assign_due(session, CHANNELS, 100)
        hook, mail = claim(session, CHANNELS, 100)
        assert (hook.channel, mail.channel) == CHANNELS
        note_delivered(session, mail)
        assert not note_failed(session, hook, "the hook answered 500")
    assert take(ledger, *CHANNELS) == []
    for attempt in range(2, 5):
        let_pass(ledger, timedelta(minutes=11))
        with ledger.begin() as session:
            (again,) = claim(session, CHANNELS, 100)
            assert (again.channel, again.attempts) == ("hook", attempt)
            assert not note_failed(session, again, "the hook answered 500")
    let_pass(ledger, timedelta(days=1))
    with ledger.begin() as session:
        (last,) = claim(session, CHANNELS, 100)
        assert note_failed(session, last, "the hook answered 500")
    let_pass(ledger, timedelta(days=1))
    with ledger.begin() as session:
        assert claim(session, CHANNELS, 100) == []
        states = session.execute(select(AlarmDelivery.channel, AlarmDelivery.state)).all()
    assert dict(map(tuple, states)) == {"hook": "abandoned", "mail": "delivered"}


def test_what_a_dead_process_had_claimed_is_claimed_by_the_next(ledger: World) -> None:
    raise_(ledger)
    with ledger.begin() as session:
        assign_due(session, ("hook",), 100)
        assert len(claim(session, ("hook",), 100)) == 1
    assert take(ledger) == []
    let_pass(ledger, 2 * MINUTE)
    assert len(take(ledger)) == 1


def test_two_processes_never_claim_the_same_delivery(ledger: World) -> None:
    for number in range(10):
        with ledger.begin() as session:
            raise_alarm(session, "warning", "late", f"eon-{number}", "a message")
    with ledger.begin() as one:
        assign_due(one, ("hook",), 100)
    with ledger.begin() as one, ledger.begin() as other:
        first, second = claim(one, ("hook",), 6), claim(other, ("hook",), 6)
    assert len(first) == 6 and len(second) == 4
    assert not {a.message_id for a in first} & {b.message_id for b in second}


def test_while_a_channel_is_away_news_of_one_condition_do_not_pile_up(ledger: World) -> None:
    for number in range(5):
        raise_(ledger, message=f"failure {number}")
        with ledger.begin() as session:
            assign_due(session, ("hook",), 100)
        let_pass(ledger, QUIET)
    clear(ledger)
    let_pass(ledger, MINUTE)
    # In order: what it is, then that it is over.
    assert told(ledger) == ["raised: failure 4"]
    assert told(ledger) == ["resolved: failure 4"]
    assert told(ledger) == []


def test_without_channels_nothing_waits(ledger: World) -> None:
    raise_(ledger)
    with ledger.begin() as session:
        assert assign_due(session, (), 100) == 1
        assert assign_due(session, (), 100) == 0
        assert session.scalars(select(AlarmDelivery)).all() == []
