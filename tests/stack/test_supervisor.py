"""The supervisor keeps real parts running and never leaves one behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from stack.data_folder import DataFolder
from stack.errors import AlreadyRunning
from stack.ports import free_port

PROGRAM = """
import asyncio, sys
from pathlib import Path
from stack.data_folder import DataFolder
from stack.node import AnvilNode
from stack.postgres import EmbeddedPostgres
from stack.supervisor import Step, Supervisor, Unit

folder = DataFolder(Path(sys.argv[1]))
node = AnvilNode(folder.part("node"), int(sys.argv[2]), block_time_s=None)
postgres = EmbeddedPostgres(folder.part("postgres"), int(sys.argv[3]))

async def create() -> None:
    await asyncio.to_thread(postgres.create_database)

def say(line: str) -> None:
    print(line, flush=True)

with folder.locked():
    supervisor = Supervisor(
        [Unit("postgres", postgres), Unit("node", node, ("database",), tend=node.tend)],
        [Step("database", create, ("postgres",))],
        folder,
        say,
    )
    asyncio.run(supervisor.run(lambda: say("everything is ready")))
"""


@pytest.fixture
def folder() -> Iterator[DataFolder]:
    root = Path(tempfile.mkdtemp(prefix="nocust-stack-"))
    root.chmod(0o755)
    yield DataFolder(root)
    shutil.rmtree(root)


@contextmanager
def supervised(folder: DataFolder) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder.root), str(free_port()), str(free_port())],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
        eventually(lambda: not alive(folder))


def read_until(process: "subprocess.Popen[str]", line: str) -> list[str]:
    assert process.stdout is not None
    seen: list[str] = []
    for text in process.stdout:
        seen.append(text.strip())
        if seen[-1] == line:
            return seen
    raise AssertionError(f"it ended without saying {line!r}: {seen}")


def alive(folder: DataFolder) -> list[int]:
    """The processes that work in a part's folder: every part does."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if folder.root in (entry / "cwd").readlink().parents:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def eventually(condition: Callable[[], bool], within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def pid(folder: DataFolder, name: str) -> int:
    return int((folder.pids / name).read_text())


def test_no_part_survives_the_kill_of_its_supervisor_and_the_next_start_recovers(
    folder: DataFolder,
) -> None:
    for _ in range(2):
        with supervised(folder) as process:
            read_until(process, "everything is ready")
            assert len(alive(folder)) >= 2
            process.send_signal(signal.SIGKILL)
            process.wait()
            eventually(lambda: not alive(folder))


@pytest.mark.parametrize("name", ["postgres", "node"])
def test_a_killed_part_is_started_again(folder: DataFolder, name: str) -> None:
    with supervised(folder) as process:
        read_until(process, "everything is ready")
        before = pid(folder, name)
        os.kill(before, signal.SIGKILL)
        read_until(process, f"again ready: {name}")
        assert pid(folder, name) != before


def test_what_depends_on_another_part_starts_after_it(folder: DataFolder) -> None:
    with supervised(folder) as process:
        seen = read_until(process, "everything is ready")
    assert seen == ["ready: postgres", "done: database", "ready: node", "everything is ready"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_stops_everything_in_order(
    folder: DataFolder, number: signal.Signals
) -> None:
    with supervised(folder) as process:
        read_until(process, "everything is ready")
        process.send_signal(number)
        assert process.wait(30) == 0
        assert alive(folder) == []
        assert "database system is shut down" in (folder.logs / "postgres.log").read_text()
        assert list(folder.pids.iterdir()) == []


def test_a_part_that_cannot_start_ends_the_start_with_its_log(folder: DataFolder) -> None:
    (folder.root / "postgres" / "cluster").mkdir(parents=True)
    with supervised(folder) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "postgres does not start; its log ends with" in output
    assert "PG_VERSION" in output or "postgresql.conf" in output


def test_two_stacks_never_share_a_folder_and_reset_waits_its_turn(folder: DataFolder) -> None:
    environment = {"HUB_DATA_DIR": str(folder.root)}
    with supervised(folder) as process:
        read_until(process, "everything is ready")
        with pytest.raises(AlreadyRunning, match="HUB_DATA_DIR"), folder.locked():
            pytest.fail("the folder was locked twice")
        refused = CliRunner().invoke(main, ["reset"], env=environment)
        assert refused.exit_code != 0
        assert "another stack runs" in refused.output
        assert (folder.root / "postgres").exists()
    cleared = CliRunner().invoke(main, ["reset"], env=environment)
    assert cleared.exit_code == 0, cleared.output
    assert [entry.name for entry in folder.root.iterdir()] == ["lock"]
