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


@contextmanager
def measured_database() -> Iterator[tuple[Engine, str, int]]:
    """Run a PostgreSQL with a migrated, empty ledger; yield engine, URL and process id."""
    folder = Path(tempfile.mkdtemp(prefix="nocust-bench-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", free_port())
    try:
        with running(server, folder / "postgres.log") as process:
            server.create_database()
            migrate.upgrade(server.url())
            engine = open_engine(server.url(), application_name="benchmark")
            yield engine, server.url(), process.pid
            engine.dispose()
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def measured_operator(api_processes: int) -> Iterator[MeasuredOperator]:
    """Run a database and API processes over it, bootstrapped in eon 1 without a chain."""
    settings = Settings.development()
    with ExitStack() as stack:
        engine, url, postgres = stack.enter_context(measured_database())
        rules = bootstrap(
            engine,
            operator=Signer(settings.require_owner_key()),
            contract=settings.contract_address,
            chain_id=1337,
        )
        port = free_port()
        pids = tuple(stack.enter_context(_api(url, port)) for _ in range(api_processes))
        yield MeasuredOperator(
            LOOPBACK, port, engine, rules, {"PostgreSQL": (postgres,), "API": pids}
        )


@contextmanager
def _api(url: str, port: int) -> Iterator[int]:
    spec = ProcessSpec(
        name="api",
        command=(sys.executable, "-m", "cli", "api"),
        environment={
            "HUB_DATABASE_URL": url,
            "HUB_API_PORT": str(port),
            "HUB_LOG_FORMAT": "json",
            "HUB_LOG_LEVEL": "warning",
            "SLA_THRESHOLD": UNLIMITED,
        },
        folder=ROOT,
    )
    process = spawn(spec, sys.stderr.fileno())
    try:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not is_listening(LOOPBACK, port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted("an API process does not serve")
            time.sleep(0.05)
        yield process.pid
    finally:
        stop(process, spec)
