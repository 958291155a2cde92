"""A delegated withdrawal on a real chain: from the signed word to the contract's event."""

from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from sqlalchemy import select

from activities.delegating import open_delegation
from duties.transactions import Ending
from ledger.delegations import DelegationRequest, accept_delegation
from models import DelegatedWithdrawal
from protocol.withdrawals import delegated_withdrawal_digest
from tests.activities.conftest import Sending
from tests.activities.town import Town, found_town
from tests.ledger.world import key


@pytest_asyncio.fixture
async def town(sending: Sending, follow: Callable[[], None]) -> AsyncIterator[Town]:
    town = await found_town(sending, follow)
    yield town
    assert town.faults() == []


def delegate(town: Town, amount: int) -> int:
    """Good has us ask for money until the end of the eon."""
    holder, expiry = key("good"), town.clock.last_block(town.eon) + 100
    digest = delegated_withdrawal_digest(
        contract=town.ether,
        token=town.ether,
        holder=holder.address,
        expiry_block=expiry,
        amount=amount,
        pending=0,
    )
    request = DelegationRequest(town.ether, holder.address, amount, expiry, holder.sign(digest))
    with town.context.sessions.begin() as session:
        return accept_delegation(session, town.bank.world.rules, request)


async def test_it_is_sent_with_the_contracts_digest_and_ends_in_its_event(town: Town) -> None:
    number = delegate(town, 500)
    start = open_delegation(town.context, number)
    assert start.key == f"request-ETH-0x{key('good').address.hex()}-{number}"
    assert start.deadline_block == town.clock.last_block(3)
    assert open_delegation(town.context, number).intent_id == start.intent_id
    assert (await town.carry_out(start.intent_id)).ending == Ending.CONFIRMED
    assert town.listed("good") == [(3, 500)]
    assert town.balance("good") == 0
    with town.context.sessions() as session:
        assert session.scalars(select(DelegatedWithdrawal.status)).all() == ["requested"]


async def test_it_is_not_sent_any_more_once_the_money_is_spent(town: Town) -> None:
    start = open_delegation(town.context, delegate(town, 500))
    town.pay("good", "friend", 100, 1, marker=0)
    refused = town.sending.broadcast(start.intent_id)
    assert (refused.ending, refused.reason) == (
        Ending.REFUSED,
        "only 400 units may be withdrawn now",
    )


async def test_it_is_not_sent_beside_a_request_of_the_wallets_own(town: Town) -> None:
    start = open_delegation(town.context, delegate(town, 100))
    town.request("good", 50)
    refused = town.sending.broadcast(start.intent_id)
    assert refused.reason == "the wallet has requested something else meanwhile"
