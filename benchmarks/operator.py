"""An operator to measure: PostgreSQL and API processes of its own, in a temporary folder."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from benchmarks.seed import bootstrap
from ledger.rules import LedgerRules
from models import migrate
from models.engine import open_engine
from protocol.signing import Signer
from settings import ROOT, Settings
from stack.part import running
from stack.ports import LOOPBACK, free_port, is_listening
from stack.postgres import EmbeddedPostgres
from stack.process import ProcessSpec, spawn, stop

READY_TIMEOUT_S: Final = 60.0
UNLIMITED: Final = str(10**9)
TAIL: Final = 2_000


class NotStarted(RuntimeError):
    """An API process ended or does not listen."""


@dataclass(frozen=True, slots=True)
class MeasuredOperator:
    """A running operator: where it serves, its database, and its processes by role."""

    host: str
    port: int
    engine: Engine
    rules: LedgerRules
    processes: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class MeasuredDatabase:
    """A running PostgreSQL with a migrated, empty ledger; `folder` is for logs."""

    engine: Engine
    url: str
    process: int
    folder: Path


@contextmanager
def measured_database() -> Iterator[MeasuredDatabase]:
    """Run a PostgreSQL of our own until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="nocust-bench-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", free_port())
    try:
        with running(server, folder / "postgres.log") as process:
            server.create_database()
            migrate.upgrade(server.url())
            engine = open_engine(server.url(), application_name="benchmark")
            yield MeasuredDatabase(engine, server.url(), process.pid, folder)
            engine.dispose()
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def measured_operator(api_processes: int) -> Iterator[MeasuredOperator]:
    """Run a database and API processes over it, bootstrapped in eon 1 without a chain."""
    settings = Settings.development()
    with ExitStack() as stack:
        database = stack.enter_context(measured_database())
        rules = bootstrap(
            database.engine,
            operator=Signer(settings.require_owner_key()),
            contract=settings.contract_address,
            chain_id=1337,
        )
        port = free_port()
        pids = tuple(
            stack.enter_context(_api(database, port, number)) for number in range(api_processes)
        )
        processes = {"PostgreSQL": (database.process,), "API": pids}
        yield MeasuredOperator(LOOPBACK, port, database.engine, rules, processes)


@contextmanager
def _api(database: MeasuredDatabase, port: int, others: int) -> Iterator[int]:
    """One more process on the port, beside `others`."""
    spec = ProcessSpec(
        name="api",
        command=(sys.executable, "-m", "cli", "api"),
        environment={
            "HUB_DATABASE_URL": database.url,
            "HUB_DATA_DIR": str(database.folder),
            "HUB_API_PORT": str(port),
            "HUB_LOG_FORMAT": "json",
            "HUB_LOG_LEVEL": "warning",
            "SLA_THRESHOLD": UNLIMITED,
        },
        folder=ROOT,
    )
    log = database.folder / "api.log"
    with log.open("ab") as output:
        process = spawn(spec, output)
    try:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not is_listening(LOOPBACK, port) or _listeners(port) <= others:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"an API process does not serve:\n{log.read_text()[-TAIL:]}")
            time.sleep(0.05)
        yield process.pid
    finally:
        stop(process, spec)


def _listeners(port: int) -> int:
    """How many sockets of this machine listen on a port; each process has one of its own."""
    place, listens = f":{port:04X}", "0A"
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(row[1].endswith(place) and row[3] == listens for row in rows)
