"""Requests with a key are carried out once, whatever happens to their answers."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from ledger.audit import verify_ledger
from models import IdempotentAnswer, Transfer
from tests.api.payments import admission_body, admit
from tests.api.serving import Site
from tests.api.test_payments import codes
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio


async def post(site: Site, path: str, body: Any, key: str) -> tuple[int, Any, bool]:
    headers = {"Idempotency-Key": key}
    async with site.session.post(site.url + path, json=body, headers=headers) as response:
        replayed = response.headers.get("Idempotent-Replayed") == "true"
        return response.status, await response.json(), replayed


def kept(ledger: World) -> int:
    with ledger.begin() as session:
        return session.scalar(select(func.count()).select_from(IdempotentAnswer)) or 0


async def test_a_repeated_payment_gets_the_first_answer_and_is_made_once(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=9), admit(ledger, "bob")
    body, key = alice.body(bob, 1), str(uuid4())
    first = await post(site, "/transfer/", body, key)
    assert (first[0], first[2]) == (201, False)
    for path in ("/transfer/", "/transfer"):
        assert await post(site, path, body, key) == (201, first[1], True)
    with ledger.begin() as session:
        assert session.scalar(select(func.count()).select_from(Transfer)) == 1
        assert verify_ledger(session, ledger.rules) == []


async def test_another_request_under_the_key_has_a_named_error(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=9), admit(ledger, "bob")
    body, key = alice.body(bob, 1), str(uuid4())
    await post(site, "/transfer/", body, key)
    reused = {"non_field_errors": ["IDEMPOTENCY_KEY_REUSED"]}
    for path, other in (("/transfer/", alice.body(bob, 2)), ("/swap/", body)):
        status, answer, _ = await post(site, path, other, key)
        assert (status, codes(answer)) == (400, reused)


@pytest.mark.parametrize("key", ["x" * 256, "caf\u00e9"])
async def test_a_malformed_key_is_named_and_nothing_happens(
    site: Site, ledger: World, key: str
) -> None:
    status, answer, _ = await post(site, "/admission/", admission_body(ledger, "alice"), key)
    assert (status, codes(answer)) == (400, {"non_field_errors": ["IDEMPOTENCY_KEY_INVALID"]})
    status, _ = await site.post("/admission/", admission_body(ledger, "alice"))
    assert status == 201


async def test_simultaneous_requests_under_one_key_are_one(site: Site, ledger: World) -> None:
    body, key = admission_body(ledger, "alice"), str(uuid4())
    answers = await asyncio.gather(*(post(site, "/admission/", body, key) for _ in range(6)))
    statuses = sorted(status for status, _, _ in answers)
    assert set(statuses) <= {201, 503}
    assert 201 in statuses
    status, _, replayed = await post(site, "/admission/", body, key)
    assert (status, replayed) == (201, True)


async def test_a_refusal_is_repeated_and_a_failure_is_tried_again(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=9), admit(ledger, "bob")
    refused, key = alice.body(bob, 10), str(uuid4())
    first = await post(site, "/transfer/", refused, key)
    assert first[1] == [{"message": "", "code": "DEBIT_WALLET_OVERSPENDING"}]
    assert await post(site, "/transfer/", refused, key) == (400, first[1], True)
    body, key = alice.body(bob, 1), str(uuid4())
    with ledger.begin() as session:
        session.execute(text("UPDATE chain_view SET intake = 'late'"))
    assert (await post(site, "/transfer/", body, key))[0] == 503
    with ledger.begin() as session:
        session.execute(text("UPDATE chain_view SET intake = 'open'"))
    assert (await post(site, "/transfer/", body, key))[::2] == (201, False)


async def test_a_key_is_free_again_after_a_day_and_an_abandoned_one_after_a_minute(
    site: Site, ledger: World
) -> None:
    key, body = str(uuid4()), admission_body(ledger, "alice")
    assert (await post(site, "/admission/", body, key))[0] == 201
    with ledger.begin() as session:
        session.execute(text("UPDATE idempotent_answer SET time = now() - interval '25 hours'"))
    _, answer, replayed = await post(site, "/admission/", body, key)
    assert (codes(answer), replayed) == ({"non_field_errors": ["WALLET_ALREADY_ADMITTED"]}, False)
    assert kept(ledger) == 1
    with ledger.begin() as session:
        session.execute(text("UPDATE idempotent_answer SET status = NULL, body = NULL"))
    assert (await post(site, "/admission/", body, key))[0] == 503
    with ledger.begin() as session:
        session.execute(text("UPDATE idempotent_answer SET time = now() - interval '2 minutes'"))
    assert (await post(site, "/admission/", body, key))[0] == 400


async def test_without_the_header_nothing_is_kept(site: Site, ledger: World) -> None:
    assert (await site.post("/admission/", admission_body(ledger, "alice")))[0] == 201
    assert kept(ledger) == 0
