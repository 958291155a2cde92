"""A running API on a free port over a test's ledger, and a client of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import aiohttp
from sanic import Sanic
from sqlalchemy.orm import Session, sessionmaker
from temporalio.client import Client

from api.administration.people import People
from api.application import create_app
from api.operator import RulesLoader
from api.policy import ApiPolicy
from commands.api import shared_socket
from ledger.notifications import tell
from models.engine import open_engine, open_sessions
from tests.ledger.world import key

PATIENCE_S = 10.0


async def _unreachable() -> Client:
    return await Client.connect("127.0.0.1:1", lazy=True)


NOBODY = People(key("operator").address, _unreachable)
"""An administration that does not reach Temporal."""


@dataclass
class Site:
    """One server. `call` returns status and JSON; `session` is for everything else."""

    url: str
    session: aiohttp.ClientSession
    tell_of: Callable[[str], None]
    """Commits a notification for a stream."""

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Send a request; bodies given as `json` go as wallets send them."""
        async with self.session.request(method, self.url + path, **options) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def get(self, path: str, **options: Any) -> tuple[int, Any]:
        """GET."""
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """POST JSON."""
        return await self.call("POST", path, json=body)

    @asynccontextmanager
    async def socket(self, *streams: str) -> AsyncIterator[Socket]:
        """A WebSocket subscribed to `streams`, and told of nothing from before."""
        async with self.session.ws_connect(self.url + "/ws/") as raw:
            socket = Socket(raw)
            if streams:
                await self._settle(socket)
                await socket.send("subscribe", streams=list(streams))
                acknowledged = await socket.receive()
                assert acknowledged["data"]["data"]["streams"] == list(streams)
            yield socket

    async def _settle(self, socket: Socket) -> None:
        """Wait until the server has told all that is committed so far."""
        mark = f"wallet/{uuid4().hex:0>40}/{uuid4().hex:0>40}"
        await socket.send("subscribe", streams=[mark])
        await socket.receive()
        self.tell_of(mark)
        assert (await socket.event())[:2] == (mark, "MARK")
        await socket.send("unsubscribe", streams=[mark])
        await socket.receive()


@dataclass
class Socket:
    """A WebSocket as a wallet uses it."""

    raw: aiohttp.ClientWebSocketResponse

    async def send(self, op: str, **args: Any) -> None:
        """Send an operation."""
        await self.raw.send_json({"op": op, "args": args})

    async def receive(self, timeout_s: float = PATIENCE_S) -> Any:
        """Receive the next message."""
        return json.loads(await self.raw.receive_str(timeout=timeout_s))

    async def event(self) -> tuple[str, str, Any]:
        """Receive the next message, a notification: stream, event, payload."""
        message = await self.receive()
        assert message["type"] == "notification", message
        data = message["data"]
        assert set(data) == {"type", "data"} and set(data["data"]) == {"type", "data"}
        return data["type"], data["data"]["type"], data["data"]["data"]

    async def silent(self) -> bool:
        """Tell whether nothing was on its way: a ping is answered first."""
        await self.send("ping")
        return (await self.receive()) == {
            "type": "response",
            "data": {"type": "ping", "data": "pong"},
        }


@asynccontextmanager
async def serve(
    database_url: str,
    load_rules: RulesLoader,
    policy: ApiPolicy = ApiPolicy(),  # noqa: B008
    *,
    ready: bool = True,
    people: People = NOBODY,
) -> AsyncIterator[Site]:
    """Serve in this process until the block ends."""
    Sanic.test_mode = True
    engine = open_engine(database_url, application_name="api-tests", pool_size=10)
    app = create_app(engine, load_rules, policy, people, name=f"tests-{uuid4().hex}")
    listening = shared_socket("127.0.0.1", 0)
    server = await app.create_server(sock=listening, return_asyncio_server=True)
    assert server is not None
    await server.startup()
    await server.before_start()
    await server.after_start()
    port = listening.getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            site = Site(f"http://127.0.0.1:{port}", session, partial(_tell, open_sessions(engine)))
            if ready:
                await until_ready(site)
            yield site
    finally:
        await server.before_stop()
        await server.close()
        for connection in list(server.connections):
            connection.close()
        await server.after_stop()


def _tell(sessions: sessionmaker[Session], stream: str) -> None:
    with sessions.begin() as session:
        tell(session, "MARK", [stream])


async def until_ready(site: Site) -> None:
    """Wait until wallets can be served."""
    await eventually(lambda: _is_ready(site))


async def _is_ready(site: Site) -> bool:
    try:
        return (await site.get("/health/ready"))[0] == 200
    except aiohttp.ClientError:
        return False


async def eventually(check: Callable[[], Any], patience_s: float = PATIENCE_S) -> None:
    """Wait until `check()`, awaited, is true."""
    deadline = time.monotonic() + patience_s
    while not await check():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition that needs no waiting itself holds."""

    async def holds() -> bool:
        return condition()

    await eventually(holds)
