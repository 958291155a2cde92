"""What people switch off is off at once, is recorded, and each act is done once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from ledger.interventions import Person, UpdateIdTaken, list_interventions, record_intervention
from ledger.refusals import Refusal
from ledger.switches import (
    SWITCHES,
    Entry,
    SwitchState,
    paused_switches,
    read_switches,
    require_switched_on,
    set_switch,
)
from models import IntakePause, InterventionRecord
from models.engine import open_sessions
from tests.ledger.world import World, key, make_rules

OWNER = key("operator").address
KIM = Person("kim", "looking into it")


def switch(ledger: World, name: str, *, paused: bool, person: Person = KIM) -> bool:
    with ledger.begin() as session:
        return set_switch(session, name, person, paused=paused, account=OWNER)


def states(ledger: World) -> dict[str, SwitchState]:
    with ledger.begin() as session:
        return {state.name: state for state in read_switches(session, OWNER)}


@pytest.fixture(params=SWITCHES)
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


def test_a_switch_tells_who_paused_it_and_stands_alone(ledger: World, name: str) -> None:
    assert switch(ledger, name, paused=True)
    found = states(ledger)
    assert {state.name for state in found.values() if state.paused} == {name}
    assert (found[name].actor, found[name].reason) == ("kim", "looking into it")
    assert found[name].since is not None
    with ledger.begin() as session:
        assert paused_switches(session) == [name]
    assert switch(ledger, name, paused=False)
    assert not any(state.paused for state in states(ledger).values())


def test_pausing_twice_changes_nothing_and_is_recorded_twice(ledger: World, name: str) -> None:
    assert switch(ledger, name, paused=True)
    assert not switch(ledger, name, paused=True, person=Person("ada", "me too"))
    with ledger.begin() as session:
        records = list_interventions(session, limit=10)
        assert [(one.actor, one.action, one.subject) for one in records] == [
            ("ada", "pause", name),
            ("kim", "pause", name),
        ]


def test_a_repeated_act_is_not_done_again(ledger: World, name: str) -> None:
    act = Person("kim", "why", update_id="ticket-7")
    assert switch(ledger, name, paused=True, person=act)
    assert switch(ledger, name, paused=False)
    assert not switch(ledger, name, paused=True, person=act)
    assert not states(ledger)[name].paused
    with pytest.raises(UpdateIdTaken):
        switch(ledger, name, paused=False, person=act)


def test_the_same_act_from_many_sides_is_recorded_once(ledger: World) -> None:
    act = Person("kim", "why", update_id="ticket-8")
    with ThreadPoolExecutor(4) as threads:
        done = list(
            threads.map(lambda _: switch(ledger, "transfers", paused=True, person=act), range(4))
        )
    assert sorted(done) == [False, False, False, True]
    with ledger.begin() as session:
        assert len(session.scalars(select(InterventionRecord)).all()) == 1


def test_a_switch_works_before_the_chain_was_ever_seen(engine: Engine) -> None:
    world = World(engine, open_sessions(engine), make_rules())
    assert switch(world, "admissions", paused=True)
    with world.begin() as session, pytest.raises(Refusal, match="admissions are paused"):
        require_switched_on(session, Entry.ADMISSIONS)


def test_admission_is_refused_while_paused_and_the_operator_itself_is_not(ledger: World) -> None:
    switch(ledger, "admissions", paused=True)
    with pytest.raises(Refusal, match="INTAKE_CLOSED: admissions are paused"):
        ledger.admit("alice")
    switch(ledger, "admissions", paused=False)
    ledger.admit("alice")


def test_the_book_is_read_backwards_from_any_record(ledger: World) -> None:
    for number in range(5):
        switch(ledger, "orders", paused=number % 2 == 0, person=Person("kim", f"act {number}"))
    with ledger.begin() as session:
        newest = list_interventions(session, limit=2)
        older = list_interventions(session, limit=9, before=newest[-1].id)
        assert [one.reason for one in newest] == ["act 4", "act 3"]
        assert [one.reason for one in older] == ["act 2", "act 1", "act 0"]
        assert not list_interventions(session, limit=9, subject="transfers")


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), ("kim", " ")])
def test_nothing_is_recorded_without_a_name_and_a_reason(
    ledger: World, actor: str, reason: str
) -> None:
    with pytest.raises(IntegrityError, match="is_signed"), ledger.begin() as session:
        record_intervention(session, "pause", "orders", Person(actor, reason))


def test_only_known_entries_can_be_paused(ledger: World) -> None:
    with pytest.raises(IntegrityError, match="entry_is_known"), ledger.begin() as session:
        session.add(IntakePause(entry="withdrawals", actor="kim", reason="why"))
