"""Facts leave with the transaction that made them true, and intake closes in danger."""

import select as readiness
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from sqlalchemy import select, text

from ledger.alarms import clear_alarm, raise_alarm
from ledger.clock import current_eon, read_view, require_intake
from ledger.duty_notices import mark_delivered, notice, undelivered
from ledger.notifications import Fact, tell, tell_all
from ledger.refusals import Refusal
from models import Alarm, ChainView, Notification
from models.engine import open_engine, open_sessions
from tests.ledger.paying import Bank
from tests.ledger.world import World, make_rules


@pytest.fixture
def listener(ledger: World) -> Any:
    """A connection that listens as an API process does."""
    connection = psycopg2.connect(
        ledger.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    connection.autocommit = True
    connection.cursor().execute("LISTEN notification")
    yield connection
    connection.close()


def heard(listener: Any, wait_s: float = 1.0) -> list[str]:
    readiness.select([listener], [], [], wait_s)
    listener.poll()
    payloads = [one.payload for one in listener.notifies]
    listener.notifies.clear()
    return payloads


def test_listeners_are_woken_once_a_transaction_with_its_range_of_ids(
    ledger: World, listener: Any
) -> None:
    with ledger.begin() as session:
        first = tell(session, "A", ["wallet/x/y"], payload={"n": 1})
        last = tell_all(session, [Fact("B", ("wallet/x/y",)), Fact("C", ("wallet/x/y",))])[-1]
        assert heard(listener, 0.2) == []
    assert heard(listener) == [f"{first}-{last}"]
    with ledger.begin() as session:
        told = select(Notification.event).where(Notification.id >= first)
        assert list(session.scalars(told.order_by(Notification.id))) == ["A", "B", "C"]


def test_a_transaction_that_fails_tells_nothing(ledger: World, listener: Any) -> None:
    with pytest.raises(ZeroDivisionError), ledger.begin() as session:
        tell(session, "A", ["wallet/x/y"])
        raise ZeroDivisionError
    assert heard(listener, 0.3) == []


def test_a_session_does_not_announce_what_it_rolled_back(ledger: World, listener: Any) -> None:
    with ledger.sessions() as session:
        tell(session, "A", ["wallet/x/y"])
        session.rollback()
        kept = tell(session, "B", ["wallet/x/y"])
        session.commit()
    assert heard(listener) == [f"{kept}-{kept}"]


def test_a_savepoint_does_not_announce_early(ledger: World, listener: Any) -> None:
    with ledger.begin() as session:
        with session.begin_nested():
            inner = tell(session, "A", ["wallet/x/y"])
        outer = tell(session, "B", ["wallet/x/y"])
    assert heard(listener) == [f"{inner}-{outer}"]


def test_a_notice_is_known_by_its_key_and_delivered_in_order(ledger: World) -> None:
    with ledger.begin() as session:
        for key in ("one", "two", "one", "three"):
            notice(session, key, "withdrawal-requested", {"key": key})
        waiting = undelivered(session, 2)
        assert [one.key for one in waiting] == ["one", "two"]
        mark_delivered(session, [one.id for one in waiting])
        assert [one.key for one in undelivered(session, 9)] == ["three"]


def test_an_alarm_is_raised_once_until_it_is_cleared(ledger: World) -> None:
    with ledger.begin() as session:
        for _ in range(2):
            raise_alarm(session, "warning", "late", "eon 4", "a message")
        clear_alarm(session, "late", "eon 4")
        raise_alarm(session, "warning", "late", "eon 4", "again")
        open_alarms = session.scalars(select(Alarm.message).where(Alarm.cleared_at.is_(None)))
        assert list(open_alarms) == ["again"]
        assert len(session.scalars(select(Alarm)).all()) == 2


class TestIntake:
    def refused(self, ledger: World, *, now: datetime | None = None, **view: object) -> bool:
        with ledger.begin() as session:
            row = session.get_one(ChainView, 1)
            for name, value in view.items():
                setattr(row, name, value)
            session.flush()
            try:
                require_intake(read_view(session), ledger.rules, now=now)
            except Refusal as refusal:
                assert refusal.code == "INTAKE_CLOSED"
                return True
            return False

    def test_an_operator_that_is_well_takes_everything(self, ledger: World) -> None:
        assert not self.refused(ledger)

    @pytest.mark.parametrize("intake", ["halted", "late"])
    def test_the_operators_word_closes_it(self, ledger: World, intake: str) -> None:
        assert self.refused(ledger, intake=intake)

    def test_a_late_checkpoint_closes_it(self, ledger: World) -> None:
        ledger.move_to(ledger.rules.clock.first_block(4) + 90)
        assert not self.refused(ledger, last_submitted_eon=3)
        ledger.move_to(ledger.rules.clock.first_block(4) + 91)
        assert not self.refused(ledger, last_submitted_eon=4)
        assert self.refused(ledger, last_submitted_eon=3)

    def test_while_nobody_looks_it_is_open_until_a_checkpoint_may_be_an_epoch_late(
        self, ledger: World
    ) -> None:
        now, clock = datetime.now(UTC), ledger.rules.clock
        ledger.move_to(clock.first_block(4) + 10)
        # 170 blocks of this eon and 45 of the next, of 12 seconds each.
        assert not self.refused(ledger, now=now + timedelta(minutes=42))
        assert self.refused(ledger, now=now + timedelta(minutes=44))
        # Without this eon's checkpoint only the 35 that are left of its first epoch.
        assert not self.refused(ledger, now=now + timedelta(minutes=6), last_submitted_eon=3)
        assert self.refused(ledger, now=now + timedelta(minutes=8))

    def test_a_short_while_without_looking_never_closes_it(self, ledger: World) -> None:
        now, clock = datetime.now(UTC), ledger.rules.clock
        ledger.move_to(clock.first_block(4) + clock.epoch_blocks - 1)
        assert not self.refused(ledger, now=now + timedelta(minutes=4), last_submitted_eon=3)
        assert self.refused(ledger, now=now + timedelta(minutes=6))

    def test_payments_go_on_through_an_outage_of_ten_minutes(self, ledger: World) -> None:
        for name in ("alice", "bob"):
            ledger.admit(name)
        with ledger.begin() as session:
            row = session.get_one(ChainView, 1)
            row.seen_at = datetime.now(UTC) - timedelta(minutes=10)
        Bank(ledger).must_pay("alice", "bob", 0, 1)

    def test_nothing_is_taken_before_the_chain_was_seen(self, database_url: str) -> None:
        engine = open_engine(database_url, application_name="tests")
        world = World(engine, open_sessions(engine), make_rules())
        with world.begin() as session, pytest.raises(Refusal, match="INTAKE_CLOSED"):
            current_eon(session)
        engine.dispose()

    def test_admission_is_refused_and_leaves_nothing(self, ledger: World) -> None:
        with ledger.begin() as session:
            session.execute(text("UPDATE chain_view SET intake = 'halted'"))
        with pytest.raises(Refusal, match="INTAKE_CLOSED"):
            ledger.admit("alice")
