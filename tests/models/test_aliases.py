"""Aliases that threads share mean the same to all of them."""

import re
import sys
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from models import Transfer, Wallet
from models.aliases import shared_alias
from settings import ROOT

ALIASES = 200
THREADS = 6
ROOMS = ("activities", "api", "commands", "ledger", "models")


@pytest.fixture
def eager_switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switching")
def test_threads_that_use_an_alias_first_at_the_same_time_write_the_same_statement() -> None:
    for _ in range(ALIASES):
        sender = shared_alias(Wallet)
        together = threading.Barrier(THREADS)
        written: list[str] = []

        def write(
            alias: type[Wallet] = sender,
            together: threading.Barrier = together,
            listed: list[str] = written,
        ) -> None:
            together.wait()
            columns = select(Transfer.id, alias.text, alias.trail_identifier)
            listed.append(str(columns.join(alias, alias.id == Transfer.sender_id)))

        threads = [threading.Thread(target=write) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(written)) == 1


def test_no_module_keeps_an_alias_that_is_resolved_only_at_its_first_use() -> None:
    modules = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    kept = [
        f"{path}: {line}"
        for path in modules
        for line in path.read_text().splitlines()
        if re.match(r"\w[^#]*= aliased\(", line)
    ]
    assert not kept
    assert modules
