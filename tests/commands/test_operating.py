"""The commands with which a person looks at the operator and steps in."""

import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from chain.abi import functions
from chain.calls import confirm_withdrawal
from cli import main
from commands.status import read_standing
from duties import alarms
from ledger.alarms import clear_alarm, raise_alarm
from models import Challenge, InterventionRecord, SendingAccount, SuppliedAnswer
from models.engine import open_engine, open_sessions
from tests.ledger.world import ETH, World, key, make_rules, text_of


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


def test_open_challenges_are_shown_with_their_deadlines(world: World) -> None:
    challenge(world)
    with world.begin() as session:
        [shown] = read_standing(session).challenges
    _, about, deadline, left, status = shown
    assert about == f"state update of ETH by 0x{key('ann').address.hex()}"
    assert (deadline, left, status) == ("144", "34", "open")


def test_a_person_supplies_an_answer_only_if_it_is_one(world: World, database_url: str) -> None:
    number = challenge(world)
    environment = {"HUB_DATABASE_URL": database_url, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    payment = confirm_withdrawal(world.rules.contract, token=ETH, holder=ETH)
    for data, complaint in (
        ("0x", "do not call an answer"),
        ("0x" + payment.data.hex(), "do not call an answer"),
        ("0x" + functions()["answerStateUpdateChallenge"].selector.hex(), "arguments"),
        ("0xzz", "hexadecimal"),
    ):
        arguments = ["challenge", "answer", number, "--calldata", data, "--reason", "by hand"]
        result = CliRunner().invoke(main, arguments, env=environment)
        assert result.exit_code != 0 and complaint in result.output, result.output
    with world.begin() as session:
        assert session.scalars(select(SuppliedAnswer)).all() == []


def challenge(world: World) -> str:
    """A challenge of eon 1 that ends in block 144."""
    with world.begin() as session:
        row = Challenge(
            block_hash=bytes(32),
            log_index=0,
            transaction_hash=bytes(32),
            token_or_conduit=ETH,
            recipient=key("ann").address,
            sender=key("ann").address,
            kind="state_update",
            eon=1,
            initial_state_eon=0,
            issue_block=100,
            deadline_block=144,
        )
        session.add(row)
        session.flush()
        return str(row.id)


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
