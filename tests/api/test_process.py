"""The command itself: processes that share a port, and how they end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import func, select

from ledger.audit import verify_ledger
from models import Transfer
from models.engine import open_sessions
from protocol.signing import Signer
from settings import (
    DEVELOPMENT_CONTRACT_ADDRESS,
    DEVELOPMENT_OWNER_KEY,
    ROOT,
    inherited_environment,
)
from stack.ports import free_port
from tests.api import serving
from tests.api.payments import Payer, admit
from tests.api.serving import Site, eventually
from tests.ledger.world import CONTRACT, World, make_rules

pytestmark = pytest.mark.asyncio
UPGRADE = (
    b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
OPERATOR = Signer(bytes.fromhex(DEVELOPMENT_OWNER_KEY))


@pytest.fixture
def rules(request: pytest.FixtureRequest) -> Any:
    """The operator is the development account, so that the command finds its key."""
    assert bytes.fromhex(DEVELOPMENT_CONTRACT_ADDRESS[2:]) == CONTRACT
    return getattr(request, "param", None) or make_rules(
        operator=OPERATOR, sla_recipient=OPERATOR.address
    )


@asynccontextmanager
async def process(database_url: str, port: int, log: Path) -> AsyncIterator[Any]:
    environment = inherited_environment(
        HUB_DATABASE_URL=database_url,
        HUB_DATA_DIR=str(log.parent),
        HUB_API_PORT=str(port),
        SLA_THRESHOLD="100000",
        HUB_LOG_FORMAT="json",
    )
    with log.open("ab") as output:
        running = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "cli.py"), "api", env=environment, stderr=output
        )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def tries(site: Site, count: int) -> int:
    """How many of `count` fresh connections are served by a ready process."""
    ready = 0
    for _ in range(count):
        try:
            async with aiohttp.ClientSession() as session:
                response = await session.get(site.url + "/health/ready")
                ready += response.status == 200
        except aiohttp.ClientError:
            continue
    return ready


async def test_two_processes_serve_one_port_and_end_without_losing_an_answer(
    database_url: str, ledger: World, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "api.log"
    alice, bob = admit(ledger, "alice", deposit=1000), admit(ledger, "bob")
    mark = partial(serving._tell, open_sessions(ledger.engine))
    async with (
        process(database_url, port, log) as one,
        process(database_url, port, log) as other,
        aiohttp.ClientSession() as session,
    ):
        site = Site(f"http://127.0.0.1:{port}", session, mark)

        async def all_ready() -> bool:
            return await tries(site, 12) == 12 and log.read_text().count('"serving"') == 2

        await eventually(all_ready, patience_s=120)
        async with aiohttp.ClientSession() as apart:
            elsewhere = Site(site.url, apart, mark)
            async with site.socket(bob.stream) as here, elsewhere.socket(bob.stream) as there:
                status, answer = await site.post("/transfer/", alice.body(bob, 1))
                assert status == 201
                assert (await here.event())[2] == answer
                assert (await there.event())[2] == answer

        alice.accept(bob, answer)
        for running in (one, other):
            pending = asyncio.create_task(site.post("/transfer/", alice.body(bob, 1)))
            await asyncio.sleep(0.02)
            running.send_signal(signal.SIGTERM)
            status, answer = await pending
            assert status in (201, 503)
            if status == 201:
                alice.accept(bob, answer)
            assert await asyncio.wait_for(running.wait(), 15) == 0
            await asyncio.sleep(0.1)
    told = log.read_text()
    assert DEVELOPMENT_OWNER_KEY not in told
    assert "Traceback" not in told


async def pay_until_the_end(port: int, payer: Payer, recipient: Payer) -> list[int]:
    """Pay again and again; return what was acknowledged before the server went away."""
    acknowledged: list[int] = []
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(
                    f"http://127.0.0.1:{port}/transfer/", json=payer.body(recipient, 1)
                ) as response:
                    answer = await response.json()
            except aiohttp.ClientError:
                return acknowledged
            if response.status == 503:
                return acknowledged
            assert response.status == 201, answer
            payer.accept(recipient, answer)
            acknowledged.append(answer["id"])


async def close_code_of(socket: aiohttp.ClientWebSocketResponse) -> tuple[int, int | None]:
    """Read to the end; return how many notifications came and the code of the close frame."""
    count = 0
    async for message in socket:
        count += json.loads(message.data)["type"] == "notification"
    return count, socket.close_code


async def test_a_process_that_is_ended_under_load_loses_no_payment_and_takes_leave_of_sockets(
    database_url: str, ledger: World, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "api.log"
    pairs = [
        (admit(ledger, f"payer {number}", deposit=10**6), admit(ledger, f"paid {number}"))
        for number in range(4)
    ]
    subscription = {"op": "subscribe", "args": {"streams": [one.stream for one, _ in pairs]}}
    async with process(database_url, port, log) as running, aiohttp.ClientSession() as session:

        async def is_serving() -> bool:
            return '"serving"' in log.read_text()

        await eventually(is_serving, patience_s=120)
        url = f"http://127.0.0.1:{port}/ws/"
        sockets = [await session.ws_connect(url) for _ in range(20)]
        for socket in sockets:
            await socket.send_json(subscription)
            await socket.receive()
        # It neither reads nor answers a close frame.
        _, deaf = await asyncio.open_connection("127.0.0.1", port)
        deaf.write(UPGRADE)
        paying = [asyncio.create_task(pay_until_the_end(port, *pair)) for pair in pairs]
        ending = [asyncio.create_task(close_code_of(socket)) for socket in sockets]
        await eventually(lambda: asyncio.to_thread(transfers_of, ledger, 20), patience_s=30)
        running.send_signal(signal.SIGTERM)
        # Three seconds for the deaf one; the rest is for a machine that has much else to do.
        assert await asyncio.wait_for(running.wait(), 40) == 0
        acknowledged = [number for one in await asyncio.gather(*paying) for number in one]
        ends = await asyncio.gather(*ending)
        deaf.close()
    assert {code for _, code in ends} == {1001}
    assert min(count for count, _ in ends) > 0
    with ledger.begin() as session_of_ledger:
        stored = set(session_of_ledger.scalars(select(Transfer.id)))
        assert verify_ledger(session_of_ledger, ledger.rules) == []
    assert len(acknowledged) == len(set(acknowledged)) >= 10
    assert set(acknowledged) <= stored
    # At most the one that each was waiting for is stored without its answer.
    assert len(stored) - len(acknowledged) <= len(pairs)
    assert "Traceback" not in log.read_text()


def transfers_of(ledger: World, least: int) -> bool:
    with ledger.begin() as session:
        return (session.scalar(select(func.count()).select_from(Transfer)) or 0) >= least


@pytest.mark.parametrize("rules", [make_rules()], indirect=True)
async def test_a_key_of_another_operator_is_refused_at_the_start(
    database_url: str, tmp_path: Path, ledger: World
) -> None:
    log = tmp_path / "api.log"
    async with process(database_url, free_port(), log) as running:
        assert await asyncio.wait_for(running.wait(), 30) != 0
    assert "operator" in log.read_text()
    assert DEVELOPMENT_OWNER_KEY not in log.read_text()
