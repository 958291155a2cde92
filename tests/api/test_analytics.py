"""The numbers that the dashboard shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, text

from api.resources import analytics
from ledger.closing import close_eon
from models import Challenge, TransferCount
from tests.api.payments import admit
from tests.api.schemas import require_shape
from tests.api.serving import Site
from tests.ledger.world import ETH, LQD, World, key

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics, "FRESH_S", -1.0)


async def numbers(site: Site, subject: str, schema: str = "StandardAnalytics") -> Any:
    status, answer = await site.get(f"/analytics/{subject}")
    assert status == 200
    require_shape(schema, answer)
    return answer


def by_eon(*counts: tuple[int, int]) -> list[dict[str, int]]:
    return [{"eon_number": eon, "count": count} for eon, count in counts]


def today(count: int) -> list[dict[str, Any]]:
    return [{"day": f"{datetime.now(UTC):%Y-%m-%d}T00:00:00Z", "count": count}]


async def test_wallets_are_counted_per_address_and_token_and_registration_eon(
    site: Site, ledger: World
) -> None:
    for token in (ETH, LQD):
        admit(ledger, "alice", token=token)
    ledger.move_to_eon(2)
    admit(ledger, "bob")
    answer = await numbers(site, "wallets", "WalletAnalytics")
    # The operator has a wallet in each token.
    assert answer["total"] == 5
    assert answer["eon_number"] == [
        {"eon_number": 1, "registration_eon_number": 1, "count": 4},
        {"eon_number": 2, "registration_eon_number": 2, "count": 1},
    ]


async def test_only_confirmed_withdrawals_count(site: Site, ledger: World) -> None:
    admit(ledger, "alice", deposit=100)
    ledger.request_withdrawal("alice", 10)
    assert await numbers(site, "deposits") == {
        "total": 1,
        "eon_number": by_eon((1, 1)),
        "time": today(1),
    }
    assert await numbers(site, "withdrawals") == {"total": 0, "eon_number": [], "time": []}
    ledger.move_to_eon(3)
    block = ledger.rules.clock.first_block(3)
    ledger.event(
        "WithdrawalConfirmation", block=block, token=ETH, requestor=key("alice").address, amount=10
    )
    ledger.confirm(block)
    assert await numbers(site, "withdrawals") == {
        "total": 1,
        "eon_number": by_eon((3, 1)),
        "time": today(1),
    }


async def test_transfers_of_closed_eons_are_counted_once_and_kept(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    for _ in range(2):
        _, answer = await site.post("/transfer/", alice.body(bob, 1))
        alice.accept(bob, answer)
    expected = {"total": 2, "eon_number": by_eon((1, 2)), "time": today(2)}
    assert await numbers(site, "transactions") == expected
    ledger.move_to_eon(2)
    with ledger.begin() as session:
        close_eon(session, ledger.rules, 1)
        assert session.query(TransferCount).count() == 0
    assert await numbers(site, "transactions") == expected
    with ledger.begin() as session:
        kept = session.query(TransferCount).one()
        assert (kept.eon, kept.count) == (1, 2)
        # What is kept is not counted again.
        kept.count = 40
    assert (await numbers(site, "transactions"))["total"] == 40


async def test_challenges_count_unless_the_chain_took_them_back(site: Site, ledger: World) -> None:
    for number, status in enumerate(("open", "answered", "answered", "orphaned")):
        with ledger.begin() as session:
            session.execute(
                insert(Challenge).values(
                    block_hash=bytes(32),
                    log_index=number,
                    transaction_hash=bytes(32),
                    token_or_conduit=ETH,
                    recipient=key("alice").address,
                    sender=key("alice").address,
                    kind="state_update",
                    eon=1,
                    initial_state_eon=1,
                    issue_block=120,
                    deadline_block=160,
                    status=status,
                    cleared_block=130,
                    cleared_hash=bytes(32),
                )
            )
    answer = await numbers(site, "challenges", "ChallengeAnalytics")
    assert answer == {"total": 3, "rebuted": 2, "eon_number": by_eon((1, 3)), "time": today(3)}


async def test_nobody_makes_the_database_count_all_the_time(
    site: Site, ledger: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analytics, "FRESH_S", 60.0)
    first = await numbers(site, "wallets", "WalletAnalytics")
    admit(ledger, "alice")
    assert await numbers(site, "wallets", "WalletAnalytics") == first
    with ledger.begin() as session:
        session.execute(text("LOCK TABLE wallet IN ACCESS EXCLUSIVE MODE"))
        assert await numbers(site, "wallets", "WalletAnalytics") == first
