"""Commands that move money of the pool or decide about requests: recorded, done once."""

import re

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from cli import main
from commands.lane import CEILING, CRITICAL, IN_FLIGHT
from models import Cover, InterventionRecord, UnclaimedClaim
from models.engine import open_engine, open_sessions
from tests.ledger.world import World, key, make_rules

WHY = ("--reason", "ticket 4", "--actor", "kim")


@pytest.fixture
def world(database_url: str) -> World:
    engine = open_engine(database_url, application_name="tests")
    world = World(engine, open_sessions(engine), make_rules())
    world.bootstrap()
    return world


def run(database_url: str, *arguments: str, fails: bool = False) -> str:
    """What a command prints; it must fail just as foretold."""
    environment = {"HUB_DATABASE_URL": database_url}
    result = CliRunner().invoke(main, arguments, env=environment)
    assert (result.exit_code != 0) is fails, result.output
    return result.output


def acts(world: World) -> list[tuple[str, str, str | None]]:
    """The book, oldest first: action, subject, value."""
    with world.begin() as session:
        rows = session.scalars(select(InterventionRecord).order_by(InterventionRecord.id))
        return [(row.action, row.subject, row.value) for row in rows]


def test_a_cover_is_ordered_once_and_one_at_a_time(world: World, database_url: str) -> None:
    order = ("cover", "ETH", "--amount", "20", *WHY, "--update-id", "ticket 4")
    assert run(database_url, *order) == "20 ETH: the payment is ordered\n"
    assert run(database_url, *order) == "20 ETH: ordered before\n"
    another = ("cover", "ETH", "--amount", "1", *WHY)
    assert "another cover of ETH is on its way" in run(database_url, *another, fails=True)
    for token, amount in (("NONE", "1"), ("LQD", "0")):
        run(database_url, "cover", token, "--amount", amount, *WHY, fails=True)
    with world.begin() as session:
        assert [one.amount for one in session.scalars(select(Cover))] == [20]
    assert acts(world) == [("cover", "ETH", "20")]


def test_a_cover_without_an_amount_needs_a_checkpoint_to_look_at(
    world: World, database_url: str
) -> None:
    assert "no checkpoint has a token ETH" in run(database_url, "cover", "ETH", *WHY, fails=True)


def test_unclaimed_money_is_claimed_once_and_listed(world: World, database_url: str) -> None:
    assert run(database_url, "unclaimed", "list") == "nothing was claimed\n"
    claim = ("unclaimed", "claim", "ETH", "20", *WHY, "--update-id", "ticket 4")
    assert run(database_url, *claim) == "20 ETH: ordered\n"
    assert run(database_url, *claim) == "20 ETH: ordered before\n"
    assert run(database_url, "unclaimed", "list") == "20 ETH  waits\n"
    run(database_url, "unclaimed", "claim", "ETH", "0", *WHY, fails=True)
    with world.begin() as session:
        assert [one.amount for one in session.scalars(select(UnclaimedClaim))] == [20]


def test_a_request_is_held_released_and_listed(world: World, database_url: str) -> None:
    assert run(database_url, "request", "list") == "no request is open\n"
    world.admit("ann")
    world.deposit("ann", 100)
    world.request_withdrawal("ann", 40)
    shown = run(database_url, "request", "list")
    number = shown.split()[0]
    assert re.search(rf"(?i)40 ETH  0x{key('ann').address.hex()}  eon 1  pending", shown)
    released = ("request", "release", number, *WHY)
    assert "is pending, not blocked" in run(database_url, *released, fails=True)
    assert run(database_url, "request", "hold", number, *WHY) == f"request {number}: hold is done\n"
    assert number in run(database_url, "request", "list", "--blocked")
    assert run(database_url, *released) == f"request {number}: release is done\n"
    assert run(database_url, "request", "list", "--blocked") == "no request is open\n"
    assert [action for action, _, _ in acts(world)] == ["hold", "release"]


def test_the_lane_s_bounds_are_shown_set_and_given_back_to_the_settings(
    world: World, database_url: str
) -> None:
    usual = run(database_url, "lane", "show")
    assert usual.count("by the settings") == 3
    bounds = ("--in-flight", "8", "--ceiling-gwei", "500", "--critical-ceiling-gwei", "3000")
    assert run(database_url, "lane", "set", *bounds, *WHY) == "the bounds are set\n"
    shown = run(database_url, "lane", "show").splitlines()
    for line, (name, value) in zip(
        shown, ((IN_FLIGHT, 8), (CEILING, 500), (CRITICAL, 3000)), strict=True
    ):
        assert line.startswith(f"{name}: {value} (set by a person; settings: ")
    for nonsense in (("--in-flight", "4"), ("--ceiling-gwei", "9", "--critical-ceiling-gwei", "8")):
        run(database_url, "lane", "set", *nonsense, *WHY, fails=True)
    assert run(database_url, "lane", "show").splitlines() == shown
    assert run(database_url, "lane", "set", *WHY) == "the bounds are set\n"
    assert run(database_url, "lane", "show") == usual
