"""The published contract's ring of pending totals gets its write in every eon, ours needs none."""

from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from sqlalchemy import select

from activities.refreshing import REFRESH
from duties.transactions import Ending
from ledger.duty_notices import undelivered
from models import TransactionIntent
from protocol.editions import ContractEdition
from tests.activities.conftest import Sending
from tests.activities.town import Town, found_town


@pytest_asyncio.fixture
async def town(sending: Sending, follow: Callable[[], None]) -> AsyncIterator[Town]:
    town = await found_town(sending, follow)
    yield town
    assert town.faults() == []


def refreshes(town: Town) -> list[TransactionIntent]:
    with town.context.sessions() as session:
        wanted = select(TransactionIntent).where(TransactionIntent.duty == REFRESH)
        return list(session.scalars(wanted.order_by(TransactionIntent.id)))


async def test_each_eon_without_a_write_gets_one_from_the_middle_on(
    town: Town, edition: ContractEdition
) -> None:
    middle = town.clock.blocks_per_eon // 2
    town.request("good", 100)
    town.confirm()
    town.chain.mine_to(town.clock.first_block(town.eon) + middle)
    town.follow()
    assert refreshes(town) == [], "a request is a write"
    town.turn()
    await town.commit()
    town.chain.mine_to(town.clock.first_block(town.eon) + middle)
    for _ in range(2):
        town.follow()
        town.mine()
    if not edition.needs_pending_refresh:
        assert refreshes(town) == []
        return
    [intent] = refreshes(town)
    assert (intent.key, intent.deadline_block) == (
        f"refresh-ETH-e{town.eon}",
        town.clock.last_block(town.eon),
    )
    with town.context.sessions() as session:
        told = [
            one.arguments["key"] for one in undelivered(session, 1_000) if "key" in one.arguments
        ]
    assert told == [intent.key]
    assert (await town.carry_out(intent.id)).ending == Ending.CONFIRMED
    assert town.context.gateway.pending_withdrawals(town.ether, town.eon) == 100
    town.mine()
    assert len(refreshes(town)) == 1
