"""The real parts that tests run on, each started at its first use and shared by the session.

They listen on free ports, keep their data in temporary folders and end with the test process,
however that ends.
"""

import os
import shlex
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from protocol.editions import ContractEdition
from stack.node import AnvilNode
from stack.part import running
from stack.ports import free_port
from stack.postgres import EmbeddedPostgres
from stack.temporal import TemporalDevServer, script_path
from tests.edition import choose_edition, chosen_edition

TEMPLATE_DATABASE = "migrated"
FOUNDED_DATABASE = "founded"
MEMORY = Path("/dev/shm")
LEAST_FREE_BYTES = 8 * 2**30
"""Each test process keeps up to two gigabytes of write-ahead log, a node and Temporal beside it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--edition",
        choices=[edition.value for edition in ContractEdition],
        default=ContractEdition.HARDENED.value,
        help="the contract that the operator's tests run on",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only_on(edition): what holds on one contract only")
    choose_edition(ContractEdition(config.getoption("--edition")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what does not hold on the edition of this run."""
    others = [item for item in items if not _holds(item)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _holds(item: pytest.Item) -> bool:
    return all(chosen_edition() in mark.args for mark in item.iter_markers("only_on"))


@pytest.fixture(scope="session")
def edition() -> ContractEdition:
    """The contract that the operator runs on; tests that are about both parametrise it."""
    return chosen_edition()


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """A folder that an unprivileged PostgreSQL can reach, as pytest's own folders are not.

    In memory where there is plenty: every test copies a database, which is a thousand files.
    """
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > LEAST_FREE_BYTES
    folder = Path(tempfile.mkdtemp(prefix="nocust-tests-", dir=MEMORY if in_memory else None))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(parts_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL without databases of ours, unsafe if the machine fails."""
    server = EmbeddedPostgres(parts_folder / "postgres", free_port(), outlives_machine=False)
    with running(server, parts_folder / "postgres.log"):
        yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a database at the newest migration, to be copied and never written to."""
    from models import migrate

    postgres_server.create_database(TEMPLATE_DATABASE)
    migrate.upgrade(postgres_server.url(TEMPLATE_DATABASE))
    return TEMPLATE_DATABASE


@pytest.fixture(scope="session")
def founded_template(postgres_server: EmbeddedPostgres, migrated_template: str) -> str:
    """The name of a database with the usual ledger of the tests in its first eon."""
    from models.engine import open_engine, open_sessions
    from tests.ledger.world import World, make_rules

    postgres_server.create_database(FOUNDED_DATABASE, migrated_template)
    engine = open_engine(postgres_server.url(FOUNDED_DATABASE), application_name="tests")
    World(engine, open_sessions(engine), make_rules()).bootstrap()
    engine.dispose()
    return FOUNDED_DATABASE


def fresh_database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A copy of `template` while the generator is open."""
    name = f"test_{uuid4().hex}"
    server.create_database(name, template)
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a new database without any table."""
    yield from fresh_database(postgres_server, "template0")


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """The URL of a new database with all tables, each test its own."""
    yield from fresh_database(postgres_server, migrated_template)


@pytest.fixture(scope="session")
def temporal_dev_server(parts_folder: Path) -> Iterator[TemporalDevServer]:
    """A running Temporal development server without UI; its `address` is where clients connect."""
    server = TemporalDevServer(parts_folder / "temporal", free_port(), ui_port=None)
    with running(server, parts_folder / "temporal.log"):
        yield server


@pytest.fixture(scope="session")
def tethered_test_server(parts_folder: Path) -> Path:
    """Temporal's test server as a program that ends with us: the SDK would leave an orphan."""
    program = parts_folder / "temporal-test-server"
    watch = f"while kill -0 {os.getpid()} && kill -0 $$; do sleep 0.5; done; kill -9 $$"
    server = shlex.quote(str(script_path("temporal-test-server")))
    program.write_text(f'#!/bin/sh\n( {watch} ) >/dev/null 2>&1 &\nexec {server} "$@"\n')
    program.chmod(0o755)
    return program


@pytest_asyncio.fixture
async def time_skipping_environment(
    tethered_test_server: Path,
) -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's test server, which skips the time that workflows sleep."""
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(tethered_test_server)
    )
    async with environment:
        yield environment


@pytest.fixture(scope="session")
def anvil(parts_folder: Path) -> Iterator[AnvilNode]:
    """A running node with the development accounts that mines only when asked (`evm_mine`)."""
    node = AnvilNode(parts_folder / "node", free_port(), block_time_s=None)
    with running(node, parts_folder / "node.log"):
        yield node
