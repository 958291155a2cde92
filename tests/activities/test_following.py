"""Following a real chain: nothing is missed, nothing counts early, nothing counts twice."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import cast

import pytest
from sqlalchemy import func, select
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities import following
from activities.branches import ABOUT
from activities.context import Context
from activities.following import Follower
from activities.synchronisation import Synchronisation
from chain.calls import deposit
from chain.errors import NodeBehind, NodeRefused
from chain.gateway import ContractGateway
from chain.node import Node
from chain.signer import TransactionSigner
from duties import alarms
from duties.synchronisation import FollowChain
from ledger.alarms import raise_alarm
from ledger.chain_accumulator import accumulator_of
from ledger.clock import read_view
from ledger.duty_notices import mark_delivered, undelivered
from models import Alarm, ChainEvent, ContractState, DutyNotice, OrphanDeposit
from simulation.node_proxy import node_proxy
from stack.node import AnvilNode
from tests.activities.conftest import CONFIRMATIONS
from tests.chain.conftest import Chain

ETHER = 10**18
Follow = Callable[[], None]


def pay_in(context: Context, chain: Chain, who: TransactionSigner, amount: int) -> int:
    """Deposit ether in a block of its own; returns its number."""
    contract = context.gateway.contract
    call = deposit(contract, token=contract, beneficiary=who.address, amount=amount)
    return chain.execute(who, call).block_number


def _seen_at(context: Context) -> datetime:
    with context.sessions() as session:
        return read_view(session).seen_at


def _open_alarms(context: Context) -> list[str]:
    with context.sessions() as session:
        return list(session.scalars(select(Alarm.subject).where(Alarm.cleared_at.is_(None))))


def credited(context: Context) -> list[int]:
    """The deposits that the ledger has taken over."""
    with context.sessions() as session:
        return [int(amount) for amount in session.scalars(select(OrphanDeposit.amount))]


@pytest.fixture(autouse=True)
def native_token(context: Context, follow: Follow) -> None:
    """The ledger knows ether from the first block on."""
    from activities.adoption import Adoptions

    follow()
    Adoptions(context).add_native_token()


def test_a_deposit_counts_at_its_depth_and_not_before(
    context: Context, chain: Chain, holder: TransactionSigner, follow: Follow
) -> None:
    pay_in(context, chain, holder, 1_000)
    chain.mine(CONFIRMATIONS - 1)
    follow()
    assert credited(context) == []
    chain.mine()
    follow()
    assert credited(context) == [1_000]
    follow()
    assert credited(context) == [1_000]


def test_catching_up_reaches_the_head_in_batches_and_misses_no_block(
    context: Context, chain: Chain, holder: TransactionSigner, follow: Follow
) -> None:
    chain.mine(20)
    pay_in(context, chain, holder, 7)
    chain.mine(280)
    follow()
    head = chain.node.head().number
    with context.sessions() as session:
        view = read_view(session)
        blocks = session.scalar(select(func.count()).select_from(ContractState))
    assert (view.latest_block, view.confirmed_block) == (head, head - CONFIRMATIONS)
    assert blocks == head - context.gateway.clock().genesis_block + 1
    assert credited(context) == [7]


def test_a_shallow_reorganisation_takes_back_what_was_only_seen(
    context: Context, chain: Chain, holder: TransactionSigner, follow: Follow
) -> None:
    follow()
    mark = chain.mark()
    pay_in(context, chain, holder, 5)
    follow()
    chain.return_to(mark)
    chain.rpc("anvil_dropAllTransactions")
    chain.mine(2 + CONFIRMATIONS)
    follow()
    assert credited(context) == []
    with context.sessions() as session:
        orphaned = session.scalars(select(ChainEvent).where(ChainEvent.orphaned)).all()
        view = read_view(session)
    assert [event.name for event in orphaned] == ["Deposit"]
    assert view.latest_block == chain.node.head().number


def test_the_clock_does_not_run_backwards_when_the_head_does(
    context: Context, chain: Chain, follow: Follow
) -> None:
    mark = chain.mark()
    chain.mine(3)
    follow()
    highest = chain.node.head().number
    chain.return_to(mark)
    chain.mine()
    follow()
    with context.sessions() as session:
        assert read_view(session).latest_block == highest


def test_a_node_that_only_lags_behind_has_reorganised_nothing(
    context: Context, chain: Chain, holder: TransactionSigner, follow: Follow, anvil: AnvilNode
) -> None:
    pay_in(context, chain, holder, 9)
    chain.mine(CONFIRMATIONS)
    follow()
    head = chain.node.head().number
    with node_proxy(anvil.url) as proxy:
        gateway = ContractGateway(Node(proxy.url), context.gateway.contract)
        gateway.parameters()
        lagging = Follower(replace(context, gateway=gateway))
        proxy.fall_behind(2 * CONFIRMATIONS)
        look = lagging.look()
        assert (look.head, look.reorganised, look.split) == (head, False, "")
        proxy.fall_behind(CONFIRMATIONS, share=0.5)
        for _ in range(10):
            # The states behind an old head are gone: such a look fails, and changes nothing.
            with suppress(NodeRefused):
                assert not lagging.look().reorganised
    with context.sessions() as session:
        assert session.scalars(select(ContractState).where(ContractState.orphaned)).all() == []
    assert credited(context) == [9]


def test_a_node_whose_head_stands_still_is_an_alarm_and_the_view_ages_until_it_moves(
    context: Context, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(context)
    while follower.look().behind:
        pass
    before = _seen_at(context)
    head = chain.node.head()
    with monkeypatch.context() as clock:
        clock.setattr(following.time, "time", lambda: head.timestamp_s + 301)
        follower.look()
    assert _seen_at(context) == before
    assert _open_alarms(context) == [alarms.NODE_BEHIND]
    with monkeypatch.context() as clock:
        clock.setattr(following.time, "time", lambda: head.timestamp_s + 299)
        Follower(context).look()
    assert _seen_at(context) > before
    assert _open_alarms(context) == []


def test_a_node_that_stays_behind_is_reported(
    context: Context, chain: Chain, follow: Follow, anvil: AnvilNode
) -> None:
    chain.mine(5)
    follow()
    with node_proxy(anvil.url) as proxy:
        gateway = ContractGateway(Node(proxy.url), context.gateway.contract)
        gateway.parameters()
        pace = replace(context.pace, block_time_s=0.0)
        lagging = Follower(replace(context, gateway=gateway, pace=pace))
        proxy.fall_behind(2)
        lagging.look()
        with pytest.raises(NodeBehind, match="has been seen"):
            lagging.look()
        proxy.heal()
        assert lagging.look().head == chain.node.head().number


def test_the_accumulator_from_events_is_the_contracts(
    context: Context, chain: Chain, holder: TransactionSigner, follow: Follow
) -> None:
    gateway = context.gateway
    clock = gateway.clock()
    for eon, amount in ((1, 3), (1, 4), (2, 5)):
        if clock.eon_of(chain.node.head().number) < eon:
            _submit(context, chain)
            chain.mine_to(clock.first_block(eon))
        pay_in(context, chain, holder, amount)
        follow()
        with context.sessions() as session:
            assert accumulator_of(session, clock, eon) == gateway.accumulator(eon)


def _submit(context: Context, chain: Chain) -> None:
    from chain.calls import submit_checkpoint
    from tests.chain.conftest import account_key

    contract, facts = context.gateway.contract, context.gateway.submission_facts()
    call = submit_checkpoint(contract, accumulator=facts.basis, root=bytes([1]) * 32)
    chain.execute(TransactionSigner(account_key(0)), call)


def test_each_eon_is_announced_to_its_duty_once(
    context: Context, chain: Chain, follow: Follow
) -> None:
    _submit(context, chain)
    chain.mine_to(context.gateway.clock().first_block(2))
    follow()
    follow()
    with context.sessions() as session:
        keys = session.scalars(select(DutyNotice.key).order_by(DutyNotice.id)).all()
    assert keys == ["eon-began-1", "eon-began-2"]


def test_a_missed_eon_closes_the_intake_for_good(
    context: Context, chain: Chain, follow: Follow
) -> None:
    chain.mine_to(context.gateway.clock().first_block(2) + 1)
    follow()
    with context.sessions() as session:
        assert read_view(session).intake == "halted"


def test_a_late_checkpoint_closes_the_intake_until_it_is_there(
    context: Context, chain: Chain, follow: Follow
) -> None:
    clock = context.gateway.clock()
    chain.mine_to(clock.first_block(1) + clock.epoch_blocks + 1)
    follow()
    with context.sessions() as session:
        assert read_view(session).intake == "late"
    _submit(context, chain)
    follow()
    with context.sessions() as session:
        assert read_view(session).intake == "open"


async def test_a_node_that_answers_again_ends_the_alarm_of_an_earlier_turn(
    context: Context, chain: Chain, follow: Follow
) -> None:
    follow()
    with context.sessions.begin() as session:
        # As a turn left it whose process was killed.
        raise_alarm(session, "critical", alarms.NODE_UNREACHABLE, ABOUT, "it was silent")
        mark_delivered(session, [one.id for one in undelivered(session, 100)])
        calendar = context.calendar(session)
    turn = Synchronisation(context, cast(Client, None)).follow_chain
    await ActivityEnvironment().run(turn, FollowChain(calendar, turns=1))
    with context.sessions() as session:
        (row,) = session.scalars(select(Alarm)).all()
    assert (row.subject, row.cleared_at is None) == (alarms.NODE_UNREACHABLE, False)


def test_a_head_that_was_read_to_its_end_costs_one_question_each_time(
    context: Context, chain: Chain, holder: TransactionSigner, anvil: AnvilNode
) -> None:
    with node_proxy(anvil.url) as proxy:
        gateway = ContractGateway(Node(proxy.url), context.gateway.contract)
        follower = Follower(replace(context, gateway=gateway))
        while follower.look().behind:
            pass
        before = proxy.requests
        looks = [follower.look() for _ in range(5)]
        assert proxy.requests - before == len(looks)
        pay_in(context, chain, holder, 11)
        chain.mine(CONFIRMATIONS)
        assert follower.look().head > looks[-1].head
    assert credited(context) == [11]
