"""The hook for transactions: a real receiver hears of every transfer that was confirmed."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy import Engine, text

from activities import transaction_hook
from activities.transaction_hook import HookAddress, TransactionHook
from ledger.notifications import tell
from ledger.transaction_hook import EVENT
from models import TransactionHookMark
from models.engine import open_engine, open_sessions
from protocol.address import checksum_address
from setting_types import Secret
from tests.ledger.paying import Bank
from tests.ledger.world import CONTRACT, World, make_rules

pytestmark = pytest.mark.asyncio
NONCES = count(1)


@dataclass
class Receiver:
    """A web server that keeps what is posted to it; `refuses` are ids that it answers with 500."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    is_down: bool = False

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.is_down or dict(parse_qsl(body.decode()))["id"] in self.refuses:
            return web.Response(status=500)
        assert request.content_type == "application/x-www-form-urlencoded"
        self.bodies.append(body)
        self.signatures.append(request.headers.get("X-Nocust-Signature", ""))
        return web.Response()

    @property
    def ids(self) -> list[int]:
        return sorted(int(dict(parse_qsl(body.decode()))["id"]) for body in self.bodies)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, application_name="tests", pool_size=10)
    yield engine
    engine.dispose()


@pytest.fixture
def bank(engine: Engine) -> Iterator[Bank]:
    world = World(engine, open_sessions(engine), make_rules())
    world.bootstrap()
    for name in ("alice", "bob"):
        world.admit(name)
    world.deposit("alice", 1000)
    bank = Bank(world)
    yield bank
    assert bank.faults() == []


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/hook"
    yield receiver
    await runner.cleanup()


def pay(bank: Bank, amount: int) -> Any:
    return bank.must_pay("alice", "bob", amount, next(NONCES))


@dataclass
class Posting:
    """Hooks of one receiver and the turns they take."""

    engine: Engine
    receiver: Receiver
    client: aiohttp.ClientSession
    hooks: list[TransactionHook] = field(default_factory=list)

    def hook(self, key: str | None = None) -> TransactionHook:
        """Another process's hook."""
        secret = None if key is None else Secret(key)
        hook = TransactionHook(self.engine, HookAddress(Secret(self.receiver.url), secret))
        self.hooks.append(hook)
        return hook

    async def turn(self, hook: TransactionHook) -> bool:
        return await asyncio.wait_for(hook.turn(self.client), 10)

    def mark(self) -> int:
        with open_sessions(self.engine)() as session:
            return session.query(TransactionHookMark).one().delivered


@pytest_asyncio.fixture
async def posting(engine: Engine, receiver: Receiver) -> AsyncIterator[Posting]:
    async with aiohttp.ClientSession() as client:
        posting = Posting(engine, receiver, client)
        yield posting
        for hook in posting.hooks:
            await hook.aclose()


async def test_a_transfer_is_posted_as_a_signed_form_once(
    bank: Bank, receiver: Receiver, posting: Posting
) -> None:
    before = pay(bank, 5)
    hook = posting.hook("a key of the receiver")
    assert await posting.turn(hook)
    assert receiver.ids == [], "what was confirmed before the hook was set up is not posted"
    paid = pay(bank, 7)
    for _ in range(3):
        assert await posting.turn(hook)
    assert (before.id in receiver.ids, receiver.ids) == (False, [paid.id])
    members = dict(parse_qsl(receiver.bodies[0].decode()))
    assert members == {
        "wallet.address": f"0x{paid.sender.text}",
        "wallet.token": f"0x{paid.sender.token_text}",
        "recipient.address": f"0x{paid.recipient.text}",
        "recipient.token": f"0x{paid.recipient.token_text}",
        "time": str(int(paid.time.timestamp())),
        "id": str(paid.id),
        "tx_id": str(paid.tx_id),
        "eon_number": "1",
        "swap": "false",
        "passive": "true",
        "complete": "true",
        "cancelled": "false",
        "voided": "false",
        "nonce": str(paid.nonce),
        "amount": "7",
        "operator": f"{checksum_address(CONTRACT)}-1337",
    }
    expected = hmac.new(b"a key of the receiver", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert receiver.signatures == [f"sha256={expected}"]


async def test_a_receiver_that_is_down_hears_of_everything_later(
    bank: Bank, receiver: Receiver, posting: Posting
) -> None:
    hook = posting.hook()
    await posting.turn(hook)
    paid = [pay(bank, 1).id]
    receiver.is_down = True
    for _ in range(transaction_hook.MOST_REFUSALS + 2):
        assert not await posting.turn(hook)
    paid.append(pay(bank, 1).id)
    mark = posting.mark()
    await hook.aclose()
    receiver.is_down = False
    other = posting.hook()
    assert await posting.turn(other)
    assert receiver.ids == paid
    for _ in range(3):
        await posting.turn(other)
    assert posting.mark() > mark
    assert receiver.ids == paid


async def test_one_process_posts_and_another_takes_over(
    bank: Bank, receiver: Receiver, posting: Posting
) -> None:
    first, second = posting.hook(), posting.hook()
    await posting.turn(first)
    paid = pay(bank, 1)
    assert await posting.turn(second)
    assert receiver.ids == []
    await first.aclose()
    assert await posting.turn(second)
    assert receiver.ids == [paid.id]


async def test_what_is_committed_late_is_not_passed_over(
    bank: Bank, receiver: Receiver, posting: Posting
) -> None:
    hook = posting.hook()
    await posting.turn(hook)
    world = bank.world
    transfer = pay(bank, 1)
    with world.sessions() as late:
        # A lower id in a transaction that commits after a higher one was posted.
        tell(late, EVENT, ["wallet/x/y"], transfer_id=transfer.id)
        paid = pay(bank, 1)
        for _ in range(4):
            await posting.turn(hook)
        assert receiver.ids == [transfer.id, paid.id]
        late.commit()
    for _ in range(4):
        await posting.turn(hook)
    assert receiver.ids == [transfer.id, transfer.id, paid.id]
    assert posting.mark() > 0


async def test_what_the_receiver_never_takes_is_left_out_in_the_end(
    bank: Bank, receiver: Receiver, posting: Posting
) -> None:
    hook = posting.hook()
    await posting.turn(hook)
    bad = pay(bank, 1)
    receiver.refuses = {str(bad.id)}
    paid = []
    for _ in range(transaction_hook.MOST_REFUSALS):
        paid.append(pay(bank, 1).id)
        assert not await posting.turn(hook)
    assert receiver.ids == paid
    assert await posting.turn(hook)


async def test_a_hook_that_was_off_for_days_catches_up_one_day(
    bank: Bank, receiver: Receiver, posting: Posting
) -> None:
    first = posting.hook()
    await posting.turn(first)
    await first.aclose()
    old, young = pay(bank, 1), pay(bank, 1)
    with bank.world.begin() as session:
        session.execute(
            text("UPDATE notification SET time = time - :age WHERE transfer_id = :id"),
            {"age": timedelta(days=2), "id": old.id},
        )
    await posting.turn(posting.hook())
    assert receiver.ids == [young.id]
