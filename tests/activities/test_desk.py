"""A desk before it pays: what the contract would do is asked at the head, nothing else believed."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from activities.preflight import CONFIRMATION
from activities.withdrawals import DeskWork
from chain.calls import confirm_withdrawal
from duties.eons import Opening, Readiness
from duties.transactions import Ending
from duties.withdrawals import Desk, OpenConfirmation
from models import TransactionIntent
from protocol.editions import ContractEdition
from tests.activities.conftest import Sending
from tests.activities.town import Town, found_town, signer

# Counts down from 20,000: half a million gas.
BURNS_GAS = "0x614e205b6001900380600357" + "00"


@pytest_asyncio.fixture
async def town(sending: Sending, follow: Callable[[], None]) -> AsyncIterator[Town]:
    town = await found_town(sending, follow)
    yield town
    assert town.faults() == []


def desk(town: Town, name: str) -> Desk:
    return Desk(town.ether.hex(), "ETH", signer(name).address.hex())


def open_desk(town: Town, name: str, revision: int = 1) -> Opening:
    return DeskWork(town.context).open_confirmation(OpenConfirmation(desk(town, name), revision))


def confirm_for(town: Town, name: str, *, by: str) -> None:
    """Somebody has a holder paid at his own cost."""
    call = confirm_withdrawal(town.ether, token=town.ether, holder=signer(name).address)
    assert town.chain.execute(signer(by), call).succeeded


def payments(town: Town) -> int:
    with town.context.sessions() as session:
        query = select(func.count()).where(TransactionIntent.duty == CONFIRMATION)
        return session.scalar(query) or 0


async def go_on(town: Town, eons: int) -> None:
    """Commit so many eons, up to a block in which requests may be paid."""
    for _ in range(eons):
        town.turn()
        await town.commit()
    town.mine(town.clock.extended_epoch_blocks)


@pytest.mark.only_on(ContractEdition.HARDENED)
async def test_a_holder_who_confirmed_himself_or_burns_gas_costs_us_nothing(town: Town) -> None:
    for name in ("good", "bad"):
        town.request(name, 100)
    town.confirm()
    assert open_desk(town, "good").readiness == Readiness.WAIT
    await go_on(town, 2)
    town.chain.rpc("anvil_setCode", "0x" + signer("bad").address.hex(), BURNS_GAS)
    burning = open_desk(town, "bad")
    assert burning.readiness == Readiness.BLOCKED and "more than 400000" in burning.reason
    confirm_for(town, "good", by="good")
    assert open_desk(town, "good").readiness == Readiness.WAIT
    confirm_for(town, "bad", by="friend")
    town.confirm()
    for name in ("good", "bad"):
        assert town.statuses(name) == ["paid"]
        assert DeskWork(town.context).read_desk(desk(town, name)).open_requests == 0
    assert payments(town) == 0


@pytest.mark.only_on(ContractEdition.PUBLISHED)
async def test_what_the_contract_would_pay_twice_is_not_paid_and_others_are(town: Town) -> None:
    town.request("good", 100)
    town.confirm()
    await go_on(town, 2)
    assert (await town.carry_out(open_desk(town, "good").intent_id)).ending == Ending.CONFIRMED
    # Paid, and listed all the same: whoever asked for it once more would be paid once more.
    assert town.listed("good") == [(3, 100)]
    assert open_desk(town, "good", 2).readiness == Readiness.WAIT
    for name in ("good", "bad"):
        town.request(name, 40)
    town.confirm()
    await go_on(town, 2)
    twice = open_desk(town, "good")
    assert (twice.readiness, twice.reason) == (
        Readiness.BLOCKED,
        "the contract lists other requests",
    )
    assert (await town.carry_out(open_desk(town, "bad").intent_id)).ending == Ending.CONFIRMED
    assert (town.statuses("good"), town.statuses("bad")) == (["paid", "pending"], ["paid"])
