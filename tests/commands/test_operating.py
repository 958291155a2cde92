"""The commands with which a person looks at the operator and steps in."""

import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from cli import main
from commands.status import read_standing
from duties import alarms
from ledger.alarms import clear_alarm, raise_alarm
from models import InterventionRecord, SendingAccount
from models.engine import open_engine, open_sessions
from tests.ledger.world import World, key, make_rules, text_of


@pytest.fixture
def world(database_url: str) -> World:
    engine = open_engine(database_url, application_name="tests")
    world = World(engine, open_sessions(engine), make_rules())
    world.bootstrap()
    return world


def test_status_tells_the_eon_and_the_blocks_left(world: World) -> None:
    with world.begin() as session:
        facts = dict(read_standing(session).facts)
    assert facts["head"].startswith("block 110, confirmed 107")
    assert facts["eon"] == "1, block 10 of 180"
    assert facts["checkpoint"] == "on chain; last submitted: eon 1"
    assert facts["intake"] == "open"


def run(database_url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"HUB_DATABASE_URL": database_url})


def test_pausing_all_sending_is_recorded_with_who_and_why(world: World, database_url: str) -> None:
    act = ("pause", "sending", "--reason", "the key is being moved", "--actor", "kim")
    assert run(database_url, *act).output == "sending: paused\n"
    with world.begin() as session:
        assert session.scalars(select(SendingAccount.paused)).all() == [True]
        assert ("paused", "sending") in read_standing(session).facts
    shown = run(database_url, "audit-log").output
    assert "kim" in shown and "the key is being" in shown
    assert run(database_url, *act).output == "sending: nothing changed\n"
    act = ("resume", "sending", "--reason", "moved", "--update-id", "ticket 4")
    assert run(database_url, *act).output == "sending: running\n"
    assert run(database_url, *act).output == "sending: nothing changed\n"
    act = ("pause", "sending", "--reason", "again", "--update-id", "ticket 4")
    assert "ticket 4 is already resume of sending" in run(database_url, *act).output


@pytest.mark.parametrize(
    "act",
    [
        ("pause", "transfers"),
        ("pause", "transfers", "--reason", "  "),
        ("pause", "transfers", "--reason", "why", "--actor", ""),
        ("pause", "withdrawals", "--reason", "why"),
        ("blacklist", "add", "0x12", "--reason", "why"),
    ],
)
def test_an_act_without_a_reason_or_an_object_changes_nothing(
    world: World, database_url: str, act: tuple[str, ...]
) -> None:
    assert run(database_url, *act).exit_code != 0
    with world.begin() as session:
        assert session.scalars(select(InterventionRecord)).all() == []


def test_an_address_is_barred_listed_and_cleared(world: World, database_url: str) -> None:
    address = "0x" + text_of(key("eve").address)
    assert run(database_url, "blacklist", "list").output == "no address is barred\n"
    act = ("blacklist", "add", address, "--reason", "fraud", "--actor", "kim")
    assert run(database_url, *act).output == f"{address} is barred\n"
    assert run(database_url, *act).output == f"{address} is barred already\n"
    assert run(database_url, "blacklist", "list").output == f"{address}  kim: fraud\n"
    act = ("blacklist", "remove", address, "--reason", "a mistake")
    assert run(database_url, *act).output == f"{address} is not barred\n"
    world.admit("eve")


def test_alarms_are_listed_with_what_to_do(world: World, database_url: str) -> None:
    environment = {"HUB_DATABASE_URL": database_url}
    assert CliRunner().invoke(main, ["alarms"], env=environment).output == "no open alarm\n"
    with world.begin() as session:
        raise_alarm(session, "critical", alarms.OVERCLAIM, "eon-3", "LQD: 7 allotted, 6 held")
        raise_alarm(session, "warning", alarms.FUEL, "0xab", "[red]5 wei")
        clear_alarm(session, alarms.FUEL, "0xab")
    shown = CliRunner().invoke(main, ["alarms"], env=environment).output
    assert "critical: over-claim (eon-3)" in shown and "LQD: 7 allotted, 6 held" in shown
    assert "See docs/runbooks/over-claim.md." in shown and "low fuel" not in shown
    everything = CliRunner().invoke(main, ["alarms", "--all", "--json"], env=environment).output
    listed = {one["subject"]: one for one in json.loads(everything)["alarms"]}
    assert set(listed) == {alarms.OVERCLAIM, alarms.FUEL}
    assert listed[alarms.FUEL]["message"] == "[red]5 wei"
    assert listed[alarms.FUEL]["cleared_at"] is not None


def test_trade_between_two_tokens_is_opened_once(world: World, database_url: str) -> None:
    tokens = ["0x" + world.rules.contract.hex(), "0x" + world.rules.sla_token.hex()]
    environment = {"HUB_DATABASE_URL": database_url}
    first = CliRunner().invoke(main, ["pair", "add", *tokens], env=environment)
    again = CliRunner().invoke(main, ["pair", "add", *tokens], env=environment)
    assert first.output == "2 of 2 directions are new\n", first.output
    assert again.output == "0 of 2 directions are new\n"


def test_a_command_says_in_one_line_that_the_database_does_not_answer() -> None:
    environment = {"HUB_DATABASE_URL": "postgresql+psycopg2://nobody@127.0.0.1:1/none"}
    result = CliRunner().invoke(main, ["status"], env=environment)
    assert result.exit_code == 1
    assert result.output == "Error: the database does not answer\n"
