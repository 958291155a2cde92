"""Delegated withdrawals over HTTP: the contract's digest, the limit, one at a time."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from ledger.duty_notices import undelivered
from models import DelegatedWithdrawal, TransactionIntent
from protocol.address import checksum_address
from protocol.signing import format_signature
from protocol.withdrawals import delegated_withdrawal_digest
from tests.api.serving import Site
from tests.ledger.paying import Bank
from tests.ledger.world import ETH, World, key

pytestmark = pytest.mark.asyncio
PATH = "/transfer/delegated_withdrawal"
FAR = 10**6


@pytest_asyncio.fixture
async def bank(ledger: World) -> Bank:
    """Alice has 500, committed in eons 2 and 3, in eon 3."""
    bank = Bank(ledger)
    ledger.admit("alice")
    ledger.deposit("alice", 500)
    bank.turn()
    bank.turn()
    return bank


def signed(
    amount: int, *, pending: int = 0, expiry: int = FAR, by: str = "alice"
) -> dict[str, str]:
    digest = delegated_withdrawal_digest(
        contract=ETH,
        token=ETH,
        holder=key("alice").address,
        expiry_block=expiry,
        amount=amount,
        pending=pending,
    )
    return {
        "signature": format_signature(key(by).sign(digest)),
        "wallet": checksum_address(key("alice").address)[2:],
        "token": checksum_address(ETH)[2:],
        "amount": str(amount),
        "expiry": str(expiry),
    }


async def ask(site: Site, body: dict[str, str]) -> tuple[int, Any]:
    return await site.call("POST", PATH, data=body)


async def test_up_to_the_limit_is_taken_over_once_and_never_more(site: Site, bank: Bank) -> None:
    assert await ask(site, signed(501)) == (400, "Not enough funds")
    assert await ask(site, signed(500)) == (200, "Ok")
    again = await ask(site, signed(1))
    assert again == (400, "Another withdrawal of this wallet is on its way")
    with bank.world.begin() as session:
        found = [one for one in undelivered(session, 100) if one.kind == "delegation-accepted"]
        row = session.scalars(select(DelegatedWithdrawal)).one()
    assert [dict(one.arguments) for one in found] == [{"delegation": row.id}]
    assert (row.amount, row.pending, row.eon) == (500, 0, 3)
    bank.world.request_withdrawal("alice", 500)
    assert bank.balances("alice").loosely_available == 0
    with bank.world.begin() as session:
        assert session.scalars(select(DelegatedWithdrawal.status)).all() == ["requested"]
    assert await ask(site, signed(1, pending=500)) == (400, "Not enough funds")
    assert bank.faults() == []


async def test_another_key_or_another_sum_signs_nothing(site: Site, bank: Bank) -> None:
    for body in (signed(500, by="bob"), signed(500, pending=1), signed(500) | {"amount": "499"}):
        assert await ask(site, body) == (400, "Signature is invalid")
    for member in ("wallet", "token"):
        assert await ask(site, signed(5) | {member: "nobody"}) == (400, "Signature is invalid")


async def test_what_is_expired_unknown_or_unreadable_is_refused(site: Site, bank: Bank) -> None:
    assert await ask(site, signed(5, expiry=100)) == (400, "The authorisation has expired")
    with bank.world.begin() as session:
        session.execute(update(DelegatedWithdrawal).values(status="ended"))
    stranger = delegated_withdrawal_digest(
        contract=ETH,
        token=ETH,
        holder=key("bob").address,
        expiry_block=FAR,
        amount=5,
        pending=0,
    )
    body = signed(5) | {
        "wallet": key("bob").address.hex(),
        "signature": format_signature(key("bob").sign(stranger)),
    }
    assert await ask(site, body) == (404, "no such wallet")
    status, answer = await ask(site, {"amount": "x"})
    assert status == 400 and set(answer) == {"signature", "wallet", "token", "amount", "expiry"}
    assert await ask(site, signed(0)) == (400, "Not enough funds")


async def test_what_came_to_nothing_frees_the_wallet_for_another(site: Site, bank: Bank) -> None:
    assert (await ask(site, signed(300)))[0] == 200
    with bank.world.begin() as session:
        intent = TransactionIntent(
            key="request-1",
            duty="delegated_withdrawal",
            account=bytes(20),
            callee=bytes(20),
            calldata=b"",
            state="expired",
        )
        session.add(intent)
        session.flush()
        session.execute(update(DelegatedWithdrawal).values(intent_id=intent.id))
    assert await ask(site, signed(200)) == (200, "Ok")
    with bank.world.begin() as session:
        rows = select(DelegatedWithdrawal.status).order_by(DelegatedWithdrawal.id)
        assert session.scalars(rows).all() == ["ended", "open"]


async def test_requests_of_both_eons_and_those_only_seen_count(site: Site, bank: Bank) -> None:
    """X(e) by H4: what the last eon's proof held, less all requested since."""
    bank.world.request_withdrawal("alice", 100)
    bank.turn()
    block = bank.world.rules.clock.first_block(4)
    bank.world.event(
        "WithdrawalRequest", block=block, token=ETH, requestor=key("alice").address, amount=50
    )
    assert await ask(site, signed(351, pending=50)) == (400, "Not enough funds")
    assert await ask(site, signed(350, pending=50)) == (200, "Ok")
