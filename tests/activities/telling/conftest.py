"""A hook and a mail server that write down what reaches them, and a ledger with alarms."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from sqlalchemy import delete

from models import Alarm, AlarmDelivery, AlarmMessage
from models.engine import open_engine, open_sessions
from stack.ports import free_port
from stack.postgres import EmbeddedPostgres
from tests.ledger.world import World, make_rules

CERTIFICATE = Path(__file__).parent / "localhost.pem"
"""A certificate for localhost and its key, good for these tests and nothing else."""
USER, PASSWORD = "operator@mail.test", "the mail password"


@pytest.fixture(scope="module")
def shared(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[World]:
    """One ledger for all tests of a module: they leave nothing but alarms."""
    name = f"test_{uuid4().hex}"
    postgres_server.create_database(name, migrated_template)
    engine = open_engine(postgres_server.url(name), application_name="tests", pool_size=10)
    world = World(engine, open_sessions(engine), make_rules())
    world.bootstrap()
    yield world
    engine.dispose()
    postgres_server.drop_database(name)


@pytest.fixture
def ledger(shared: World) -> Iterator[World]:
    """The shared ledger without alarms."""
    yield shared
    with shared.begin() as session:
        for table in (AlarmDelivery, AlarmMessage, Alarm):
            session.execute(delete(table))


@dataclass
class HookServer:
    """What was posted, and with which statuses it answers (the last one for ever)."""

    url: str = ""
    posts: list[Any] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [200])

    async def take(self, request: web.Request) -> web.Response:
        """Write the post down and answer."""
        self.posts.append(await request.json())
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers={"Location": self.url})

    def texts(self) -> list[str]:
        """The text of every post."""
        return [post["blocks"][0]["text"]["text"] for post in self.posts]


@asynccontextmanager
async def hook_server() -> AsyncIterator[HookServer]:
    """Serve a hook until the block ends."""
    server = HookServer()
    app = web.Application()
    app.router.add_post("/services/a-secret-path", server.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}/services/a-secret-path"
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[HookServer]:
    """A hook that answers 200."""
    async with hook_server() as server:
        yield server


@dataclass
class MailBox:
    """The mails that a server took, as (sender, recipients, bytes)."""

    port: int
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take every recipient but those of `nowhere.test`."""
        if address.endswith("@nowhere.test"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Take the mail."""
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@contextmanager
def mail_server(*, encrypted: bool) -> Iterator[MailBox]:
    """An SMTP server; if `encrypted`, it demands STARTTLS and the login of `USER`."""
    box = MailBox(free_port())
    context = None
    if encrypted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)

    def check(
        _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        is_right = data == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        tls_context=context,
        require_starttls=encrypted,
        auth_required=encrypted,
        auth_require_tls=encrypted,
        authenticator=check,
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def trusting() -> ssl.SSLContext:
    """A context that knows the tests' certificate."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))
