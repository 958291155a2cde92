"""A ledger that is lost at any moment comes back from its backup and owes nobody an answer."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import text

from activities.expected import FINDERS
from cli import main
from duties.challenges import Standing
from ledger.switches import paused_switches
from models.engine import open_engine, open_sessions
from tests.challenges.challenging import Challengers
from tests.challenges.live import LiveBank, LiveWorld, private_key
from tests.challenges.test_state_updates import NAMES, open_accounts
from tests.ledger.world import ETH

SEED = int(os.environ.get("RESTORE_SEED") or secrets.randbelow(2**32))


def command(url: str, *arguments: str) -> str:
    """Run a command on a database; it must succeed."""
    result = CliRunner().invoke(main, arguments, env={"HUB_DATABASE_URL": url})
    assert result.exit_code == 0, result.output
    return result.output


def restore_arguments(file: str) -> tuple[str, ...]:
    return ("restore", file, "--reason", "the disk is gone", "--actor", "a test")


def duties(world: LiveWorld) -> set[str]:
    """What must be at work, as reconciling finds it with nothing but the ledger."""
    with world.begin() as session:
        calendar = world.context.calendar(session)
        return {one.id for find in FINDERS for one in find(session, calendar)}


def move_into(world: LiveWorld, url: str) -> None:
    """Let the world's operator work on another database."""
    world.context.engine.dispose()
    engine = open_engine(url, application_name="tests", pool_size=20)
    sessions = open_sessions(engine)
    object.__setattr__(world.context, "engine", engine)
    object.__setattr__(world.context, "sessions", sessions)
    world.engine, world.sessions = engine, sessions


def test_a_ledger_restored_at_a_random_moment_follows_on_and_answers_for_the_eon_before(
    # First, so that the world, which moves there, is audited before it goes.
    empty_database_url: str,
    database_url: str,
    world: LiveWorld,
    bank: LiveBank,
    challengers: Challengers,
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    print(f"RESTORE_SEED={SEED}")
    open_accounts(world)
    life: list[Callable[[], object]] = [
        lambda: bank.checkpoint(1),
        lambda: bank.must_pay("ann", "bob", 300, 1),
        lambda: bank.must_pay("bob", "cas", 200, 2),
        bank.turn,
        lambda: bank.must_pay("ann", "dee", 50, 3),
        world.move_to_challenges,
        lambda: challengers.dispute_balance("ann"),
        lambda: [challengers.dispute_balance(name) for name in NAMES[1:]],
        lambda: world.answer(world.challenges()[0].id),
    ]
    moment = chance.randrange(len(life) + 1)
    for step in life[:moment]:
        step()

    file = command(database_url, "backup", str(tmp_path / "backups")).strip()
    owed, challenges = duties(world), len(world.challenges())
    # The chain goes on while nobody looks.
    with world.chain.mining_at_once():
        world.parent_chain.deposit(private_key("ann"), ETH, 77)
    world.chain.mine(chance.randint(1, 3))
    command(empty_database_url, *restore_arguments(file))
    move_into(world, empty_database_url)
    with world.begin() as session:
        assert set(paused_switches(session)) == {"admissions", "transfers", "orders"}
    for entry in ("admissions", "transfers", "orders"):
        command(empty_database_url, "resume", entry, "--reason", "nothing was lost")
    assert duties(world) == owed
    assert len(world.challenges()) == challenges
    before = bank.balances("ann").available
    world.settle()
    assert bank.balances("ann").available == before + 77

    for step in life[moment:]:
        step()
    trials = world.answer_all()
    assert {trial.standing for trial in trials} == {Standing.READY}
    assert {row.status for row in world.challenges()} == {"answered"}
    assert len(world.challenges()) == len(NAMES) and world.live() == 0
    bank.turn()
    bank.turn()


def test_a_backup_is_whole_named_by_its_moment_and_kept_to_a_number(
    world: LiveWorld, database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    files = [
        Path(command(database_url, "backup", str(folder), "--keep", "2").strip()) for _ in range(3)
    ]
    assert sorted(folder.iterdir()) == files[1:]
    assert files[2].stat().st_mode & 0o777 == 0o600

    # Half a file restores nothing, and neither does a database that is in use or has a ledger.
    half = tmp_path / "half"
    half.write_bytes(files[2].read_bytes()[: files[2].stat().st_size // 2])
    failing = CliRunner().invoke(
        main, restore_arguments(str(half)), env={"HUB_DATABASE_URL": empty_database_url}
    )
    assert failing.exit_code == 1 and "no whole backup" in failing.output
    refused = CliRunner().invoke(
        main, restore_arguments(str(files[2])), env={"HUB_DATABASE_URL": database_url}
    )
    assert refused.exit_code == 1 and "--replace" in refused.output
    busy = open_engine(database_url, application_name="nocust-api")
    with busy.connect() as connection:
        connection.execute(text("SELECT 1"))
        refused = CliRunner().invoke(
            main,
            [*restore_arguments(str(files[2])), "--replace"],
            env={"HUB_DATABASE_URL": database_url},
        )
        assert refused.exit_code == 1 and "nocust-api are at work" in refused.output
    busy.dispose()
    # What came after the backup goes, tables of later versions too.
    with world.begin() as session:
        session.execute(text("CREATE TABLE of_a_later_version (id int)"))
    command(database_url, *restore_arguments(str(files[2])), "--replace")
    with world.begin() as session:
        assert session.scalar(text("SELECT to_regclass('of_a_later_version')")) is None


def test_no_password_is_in_what_is_said_when_it_fails(tmp_path: Path) -> None:
    url = "postgresql://somebody:canary-words@127.0.0.1:1/ledger"
    result = CliRunner().invoke(main, ["backup", str(tmp_path)], env={"HUB_DATABASE_URL": url})
    assert result.exit_code == 1
    assert "canary-words" not in result.output
