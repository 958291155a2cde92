"""The embedded parts come back from a kill with everything that they acknowledged."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from web3 import HTTPProvider, Web3

from stack.accounts import (
    SYSTEM_FOLDER,
    can_traverse,
    reachable_copy,
    unprivileged_account,
)
from stack.errors import NotReady, PortInUse, StackError
from stack.node import AnvilNode
from stack.part import running
from stack.ports import LOOPBACK, free_port, is_listening, require_free_port
from stack.postgres import EmbeddedPostgres
from stack.temporal import RETENTION, TemporalDevServer, ensure_namespace

ATTRIBUTES = [SearchAttributeKey.for_int("NocustEon"), SearchAttributeKey.for_keyword("NocustDuty")]


@pytest.fixture
def own_postgres(parts_folder: Path, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(parts_folder / f"postgres-{tmp_path.name}", free_port())
    yield server
    server.remove()


def count_rows(server: EmbeddedPostgres) -> int:
    engine = create_engine(server.url())
    with engine.connect() as connection:
        count: int = connection.execute(text("SELECT count(*) FROM receipt")).scalar_one()
    engine.dispose()
    return count


def test_postgres_keeps_every_commit_through_a_kill(
    own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(own_postgres, log) as process:
        own_postgres.create_database()
        engine = create_engine(own_postgres.url())
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE receipt (id int)"))
        for number in range(20):
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO receipt VALUES (:n)"), {"n": number})
        process.kill()
        process.wait()
        engine.dispose()
    with running(own_postgres, log):
        assert count_rows(own_postgres) == 20


def test_postgres_starts_over_the_lock_of_a_number_that_another_program_has_now(
    own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    with running(own_postgres, tmp_path / "log"):
        own_postgres.create_database()
    account = own_postgres.account
    stranger = subprocess.Popen(
        ["sleep", "60"],
        user=account.uid if account else None,
        group=account.gid if account else None,
    )
    try:
        lock = own_postgres.home / "cluster" / "postmaster.pid"
        lock.write_text(f"{stranger.pid}\n{lock.parent}\n0\n{own_postgres.port}\n\n\n\n")
        with running(own_postgres, tmp_path / "log"):
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_postgres_runs_as_an_unprivileged_account_behind_a_password(
    postgres_server: EmbeddedPostgres,
) -> None:
    assert postgres_server.home.stat().st_uid != 0
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(
            host=LOOPBACK,
            port=postgres_server.port,
            user="nocust",
            password="wrong",
            dbname="postgres",
        )


def assert_durable(server: EmbeddedPostgres) -> None:
    engine = create_engine(server.url())
    with engine.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(text(f"SHOW {name}")).scalar_one() == "on"
    engine.dispose()


def test_postgres_works_durably_from_a_folder_that_its_account_cannot_reach(tmp_path: Path) -> None:
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    server = EmbeddedPostgres(private / "postgres", free_port())
    try:
        as_root = os.geteuid() == 0
        assert server.home.is_relative_to(SYSTEM_FOLDER if as_root else private)
        with running(server, tmp_path / "log"):
            server.create_database()
            assert_durable(server)
    finally:
        server.remove()
    assert not server.home.exists()


def test_programs_that_an_account_cannot_reach_are_copied_with_their_libraries(
    tmp_path: Path,
) -> None:
    private = tmp_path / "site-packages"
    private.mkdir(mode=0o700)
    for name in ("programs", "programs.libs"):
        (private / name).mkdir()
        (private / name / "file").write_text(name)
    account = unprivileged_account(private)
    label = f"test-{os.getpid()}"
    try:
        for _ in range(2):
            sources = [private / "programs", private / "programs.libs"]
            place = reachable_copy(account, sources, label)
            assert (place / "programs" / "file").read_text() == "programs"
            assert (place / "programs.libs" / "file").read_text() == "programs.libs"
            assert account is None or can_traverse(account, place / "programs")
    finally:
        shutil.rmtree(SYSTEM_FOLDER / label, ignore_errors=True)


def test_each_test_has_a_database_of_its_own(empty_database_url: str) -> None:
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE only_here (id int)"))
        tables = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        ).scalar_one()
    engine.dispose()
    assert tables == 1


async def test_temporal_keeps_its_namespace_through_a_kill(tmp_path: Path) -> None:
    server = TemporalDevServer(tmp_path / "temporal", free_port(), ui_port=None)
    for start in range(2):
        with running(server, tmp_path / "log") as process:
            client = await Client.connect(server.address, namespace="nocust")
            if start == 0:
                await ensure_namespace(client, ATTRIBUTES)
                await ensure_namespace(client, ATTRIBUTES)
            described = await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace="nocust")
            )
            retention = described.config.workflow_execution_retention_ttl.ToTimedelta()
            assert retention == RETENTION == timedelta(days=30)
            query = "NocustEon = 1 AND NocustDuty = 'eon'"
            assert [w async for w in client.list_workflows(query)] == []
            process.kill()


async def test_a_namespace_refuses_what_its_visibility_store_cannot_hold(
    temporal_dev_server: TemporalDevServer,
) -> None:
    client = await Client.connect(temporal_dev_server.address, namespace="other")
    with pytest.raises(StackError, match="integer"):
        await ensure_namespace(client, [SearchAttributeKey.for_int(f"N{n}") for n in range(4)])
    with pytest.raises(RPCError):
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace="other")
        )
    await ensure_namespace(client, ATTRIBUTES)
    with pytest.raises(StackError, match="NocustEon"):
        await ensure_namespace(client, [SearchAttributeKey.for_keyword("NocustEon")])


async def test_the_time_skipping_server_answers(
    time_skipping_environment: WorkflowEnvironment,
) -> None:
    assert time_skipping_environment.supports_time_skipping


def test_the_node_comes_back_from_a_kill_with_its_chain(tmp_path: Path) -> None:
    node = AnvilNode(tmp_path / "node", free_port(), block_time_s=1)
    web3 = Web3(HTTPProvider(node.url))
    with running(node, tmp_path / "log") as process:
        owner, other = web3.eth.accounts[0], web3.eth.accounts[1]
        sent = web3.eth.send_transaction({"from": owner, "to": other, "value": 7})
        receipt = web3.eth.wait_for_transaction_receipt(sent, timeout=10)
        deadline = receipt["blockNumber"] + 2
        while web3.eth.block_number < deadline:
            time.sleep(0.1)
        process.kill()
    with running(node, tmp_path / "log"):
        assert web3.eth.block_number >= receipt["blockNumber"]
        assert web3.eth.get_transaction_receipt(sent)["blockHash"] == receipt["blockHash"]
        assert web3.eth.get_balance(other) == 10_000 * 10**18 + 7
    assert (tmp_path / "log").read_text() == "", "anvil prints private keys"


def test_the_node_returns_to_its_last_good_state_when_a_kill_cut_the_file(tmp_path: Path) -> None:
    node = AnvilNode(tmp_path / "node", free_port(), block_time_s=None)
    web3 = Web3(HTTPProvider(node.url))
    with running(node, tmp_path / "log"):
        web3.provider.make_request("anvil_mine", ["0x5"])
    node.tend()
    state = tmp_path / "node" / "state.json"
    os.truncate(state, state.stat().st_size // 2)
    node.tend()
    with running(node, tmp_path / "log"):
        assert web3.eth.block_number == 5


def test_a_test_mines_its_own_blocks(anvil: AnvilNode) -> None:
    web3 = Web3(HTTPProvider(anvil.url))
    before = web3.eth.block_number
    web3.provider.make_request("evm_mine", [])
    assert web3.eth.block_number == before + 1
    assert web3.eth.chain_id == 1337
    assert web3.eth.accounts[0] == "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1"


def test_a_part_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    port = free_port()
    first = AnvilNode(tmp_path / "first", port, block_time_s=None)
    second = EmbeddedPostgres(tmp_path / "second", port)
    with (
        running(first, tmp_path / "a"),
        pytest.raises(NotReady, match=r"postgres ended.*\n.*"),
        running(second, tmp_path / "b"),
    ):
        pytest.fail("a taken port must not be ready")
    second.remove()


def test_a_taken_port_is_named_with_the_setting_that_moves_it(anvil: AnvilNode) -> None:
    with pytest.raises(PortInUse, match=f"{anvil.port}.*HUB_NODE_PORT"):
        require_free_port(anvil.port, "the node", "HUB_NODE_PORT")
    require_free_port(free_port(), "the node", "HUB_NODE_PORT")


def test_a_part_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    port = free_port()
    program = (
        "import os, sys, signal\n"
        "from pathlib import Path\n"
        "from stack.node import AnvilNode\n"
        "from stack.part import running\n"
        f"with running(AnvilNode(Path({str(tmp_path)!r}), {port}, block_time_s=None),"
        f" Path({str(tmp_path / 'log')!r})):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while is_listening(LOOPBACK, port) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_listening(LOOPBACK, port)
