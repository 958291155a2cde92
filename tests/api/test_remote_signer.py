"""Wallets are served with a key that is in another process, and told when it is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from chain.remote_signer import COOL_DOWN_S, RemoteKey, RemoteMessageSigner
from ledger.audit import verify_ledger
from models import Transfer
from protocol.keccak import keccak256
from tests.api.payments import Payer, admission_body, admit
from tests.api.serving import Site, serve
from tests.chain.signer_service import RunningSigner, running_signer
from tests.ledger.world import World, key

pytestmark = pytest.mark.asyncio
OPERATOR_KEY = keccak256(b"ledger tests: operator")
LIMIT_S = 0.3


@pytest.fixture(scope="module")
def process() -> Iterator[RunningSigner]:
    with running_signer(OPERATOR_KEY) as signer:
        yield signer


@pytest_asyncio.fixture
async def site(database_url: str, ledger: World, process: RunningSigner) -> AsyncIterator[Site]:
    remote = RemoteKey(process.url, key("operator").address, timeout_s=LIMIT_S)
    rules = replace(ledger.rules, operator=RemoteMessageSigner(remote))
    async with serve(database_url, lambda _session: rules) as site:
        yield site
    process.behave("honest")
    with ledger.begin() as session:
        assert verify_ledger(session, ledger.rules) == []


@pytest.fixture
def people(ledger: World) -> list[Payer]:
    return [admit(ledger, f"sender {number}", deposit=10) for number in range(8)]


def count(ledger: World) -> int:
    with ledger.begin() as session:
        return session.scalar(select(func.count()).select_from(Transfer)) or 0


async def test_payments_and_registrations_are_countersigned_by_another_process(
    site: Site, ledger: World, people: list[Payer]
) -> None:
    recipient = admit(ledger, "recipient")
    answers = await asyncio.gather(
        *(site.post("/transfer/", sender.body(recipient, 1)) for sender in people)
    )
    assert {status for status, _ in answers} == {201}
    assert (await site.post("/admission/", admission_body(ledger, "carol")))[0] == 201
    assert count(ledger) == len(people)


@pytest.mark.parametrize("trouble", ["silent", "failing", "foreign"])
async def test_while_the_signer_is_away_nothing_happens_and_soon(
    site: Site, ledger: World, people: list[Payer], process: RunningSigner, trouble: str
) -> None:
    recipient = admit(ledger, "recipient")
    assert (await site.post("/transfer/", people[0].body(recipient, 1)))[0] == 201
    process.behave(trouble)
    began = time.monotonic()
    answers = await asyncio.gather(
        *(site.post("/transfer/", sender.body(recipient, 1)) for sender in people[1:])
    )
    assert time.monotonic() - began < 5
    away = {"detail": "the operator's signer does not answer"}
    assert all(answer == (503, away) for answer in answers)
    assert count(ledger) == 1
    process.behave("honest")
    await asyncio.sleep(COOL_DOWN_S)
    assert (await site.post("/transfer/", people[1].body(recipient, 1)))[0] == 201
