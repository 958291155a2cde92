"""The tutorial, typed as it is written, in a fresh clone: `./run.sh test-tutorial`.

Ports differ, so that it can be tried beside a stack that somebody uses.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from settings import ROOT
from stack.ports import free_port
from stack.trial import PORTS, REAL_SERVICES

PAGE = "docs/tutorial.md"
INSTALLED_IN_S, READY_IN_S, COMMAND_IN_S, STOPPED_IN_S = 900, 180, 900, 60


@dataclass(frozen=True)
class Block:
    """Commands as they stand, whether the first terminal keeps them, and what they must show."""

    commands: str
    is_first_terminal: bool
    shows: str


def blocks(page: str) -> list[Block]:
    """Every block of commands of the page, in order."""
    pattern = r"(In a first terminal:\n\n)?^```sh\n(.*?)^```\n(?:<!-- shows: (.*?) -->\n)?"
    found = re.findall(pattern, page, re.M | re.S)
    return [Block(commands, bool(first), shows) for first, commands, shows in found]


@pytest.fixture
def clone() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="nocust-tutorial-"))
    folder.chmod(0o755)
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "operator"], check=True)
    yield folder / "operator"
    shutil.rmtree(folder, ignore_errors=True)


class Reader:
    """Somebody with two terminals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: str(free_port()) for name in PORTS}
        unset = ("VIRTUAL_ENV", "PYTHONPATH", "HUB_DATA_DIR", *REAL_SERVICES)
        ours = {name: text for name, text in os.environ.items() if name not in unset}
        self.environment = {**ours, **self.ports}
        self.log = folder.parent / "first-terminal.log"

    def written_here(self, commands: str) -> str:
        """The commands with this stack's port of the API."""
        return commands.replace(":8123/", f":{self.ports['HUB_API_PORT']}/")

    def type(self, commands: str) -> str:
        """Type into the second terminal; every command has to succeed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.written_here(commands)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_IN_S,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{self.first_terminal()}"
        return done.stdout

    def open_first_terminal(self, commands: str) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as output:
            return subprocess.Popen(
                ["bash", "-c", f"exec env {commands}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def first_terminal(self) -> str:
        return self.log.read_text(errors="replace")[-8_000:] if self.log.exists() else ""

    def wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        url = f"http://127.0.0.1:{self.ports['HUB_API_PORT']}/readyz"
        deadline = time.monotonic() + INSTALLED_IN_S + READY_IN_S
        while True:
            assert process.poll() is None, self.first_terminal()
            assert time.monotonic() < deadline, self.first_terminal()
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except OSError:
                time.sleep(1)


@pytest.mark.timeout(3_600)
def test_every_command_of_the_tutorial_works_as_written(clone: Path) -> None:
    reader, running = Reader(clone), None
    try:
        for block in blocks((clone / PAGE).read_text()):
            print(block.commands, flush=True)
            if block.is_first_terminal:
                running = reader.open_first_terminal(block.commands)
                reader.wait_until_ready(running)
                continue
            if "reset" in block.commands and running is not None:
                # The page says to press Ctrl-C first.
                running.send_signal(signal.SIGINT)
                assert running.wait(STOPPED_IN_S) == 0, reader.first_terminal()
            said = reader.type(block.commands)
            assert block.shows in said, f"{block.commands}\n{said}"
    finally:
        if running is not None and running.poll() is None:
            running.send_signal(signal.SIGINT)
            running.wait(STOPPED_IN_S)


def test_the_tutorial_has_the_blocks_that_this_test_types() -> None:
    found = blocks((ROOT / PAGE).read_text())
    assert [block.is_first_terminal for block in found] == [True] + [False] * (len(found) - 1)
    assert len(found) == (ROOT / PAGE).read_text().count("```sh")
    assert "reset" in found[-1].commands and all(block.shows for block in found[1:])
