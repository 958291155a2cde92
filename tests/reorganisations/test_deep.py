"""Deeper than the confirmations nothing is guessed: a person decides, and answers go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from sqlalchemy import delete, func, select
from temporalio.client import Client

from activities.eons import CheckpointWork
from activities.following import Follower
from activities.synchronisation import Synchronisation
from duties import alarms, notices
from duties.eons import OpenSubmission, Readiness
from duties.synchronisation import Resync
from ledger.reversal import CannotReverse
from ledger.split import ChainSplit
from models import (
    Alarm,
    ChainView,
    ContractState,
    Deposit,
    DutyNotice,
    InterventionRecord,
    TransactionIntent,
)
from tests.challenges.challenging import Challengers
from tests.challenges.live import LiveBank, LiveWorld
from tests.ledger.paying import Bank
from tests.reorganisations.phases import OfTheOperator
from tests.reorganisations.test_every_depth import a_checkpoint, has

DEEPER = 4


@pytest.fixture
def loyal(world: LiveWorld, bank: LiveBank) -> LiveWorld:
    """Ann and Bob are admitted, the checkpoint of eon 1 is on chain."""
    world.admit("ann")
    world.admit("bob")
    bank.checkpoint(1)
    world.settle()
    return world


def lose(world: LiveWorld, mark: object, blocks: int) -> None:
    """The chain goes on from the mark without what was mined since."""
    world.chain.return_to(mark)
    world.chain.rpc("anvil_dropAllTransactions")
    world.mine(blocks)


def resync(world: LiveWorld, block: int, *, update_id: str = "", keeps: bool = False) -> int:
    """A person's decision, as the activity carries it out."""
    work = Synchronisation(world.context, cast(Client, None))
    return work.resynchronise(Resync(block, "kim", "the other branch won", update_id, keeps))


def open_alarms(world: LiveWorld) -> dict[str, str]:
    query = select(Alarm.subject, Alarm.message).where(Alarm.cleared_at.is_(None))
    with world.begin() as session:
        return {row.subject: row.message for row in session.execute(query)}


def view(world: LiveWorld) -> ChainView:
    with world.begin() as session:
        found = session.get_one(ChainView, 1)
        session.expunge(found)
    return found


def test_a_lost_deposit_stands_until_a_person_decides(loyal: LiveWorld) -> None:
    world = loyal
    parted = world.chain.node.head()
    mark = world.chain.mark()
    world.deposit("ann", 1_000)
    world.mine()
    assert has(world, "ann", 1_000)
    ours = world.chain.node.header(parted.number + 2).block_hash.hex()
    lose(world, mark, 8)

    message = open_alarms(world)[alarms.DEEP_REORGANISATION]
    theirs = world.chain.node.header(parted.number + 2).block_hash.hex()
    assert ours in message and theirs in message
    assert f"part after block {parted.number}" in message
    assert (view(world).intake, view(world).confirmed_block) == ("split", parted.number)
    assert has(world, "ann", 1_000), "nothing was guessed"
    world.deposit("bob", 70)
    world.mine(10)
    assert has(world, "bob", 0), "nothing is credited"
    assert view(world).latest_block == world.chain.node.head().number, "the clock goes on"

    with pytest.raises(CannotReverse, match="part after"):
        resync(world, parted.number - 1)
    assert resync(world, parted.number, update_id="once") == 1
    assert resync(world, parted.number, update_id="once") == 0
    world.follow()
    assert has(world, "ann", 0) and has(world, "bob", 70)
    assert (view(world).intake, alarms.DEEP_REORGANISATION in open_alarms(world)) == ("open", False)
    with world.begin() as session:
        acts = session.scalars(select(InterventionRecord.action)).all()
    assert acts == ["resync_from"]


def test_a_deposit_that_was_mined_again_is_credited_once(loyal: LiveWorld) -> None:
    world = loyal
    parted = world.chain.node.head().number
    mark = world.chain.mark()
    with world.chain.mining_at_once():
        world.fund("ann")
        raw = mined_raw(world, "ann", 1_000)
    world.settle()
    world.mine()
    bank = Bank(world)
    bank.must_pay("ann", "bob", 999, 1)
    lose(world, mark, 2)
    world.fund("ann")
    world.chain.rpc("eth_sendRawTransaction", raw)
    world.mine(8)
    assert resync(world, parted) == 0
    world.follow()
    assert has(world, "ann", 1) and has(world, "bob", 999)
    with world.begin() as session:
        assert session.scalar(select(func.count()).select_from(Deposit)) == 1


def mined_raw(world: LiveWorld, name: str, amount: int) -> str:
    """The bytes of a deposit that was just mined."""
    from chain.calls import deposit
    from chain.fees import DynamicFee
    from chain.signer import TransactionRequest, TransactionSigner
    from tests.challenges.live import private_key
    from tests.ledger.world import ETH, key

    signer = TransactionSigner(private_key(name))
    call = deposit(world.rules.contract, token=ETH, beneficiary=key(name).address, amount=amount)
    request = TransactionRequest(
        chain_id=world.chain.node.require_chain(),
        nonce=world.chain.node.transaction_count(signer.address),
        to=call.to,
        value=call.value,
        data=call.data,
        gas_limit=1_000_000,
        fee=DynamicFee(100 * 10**9, 10**9),
    )
    raw = "0x" + signer.sign(request).raw.hex()
    world.chain.rpc("eth_sendRawTransaction", raw)
    return raw


def test_challenges_are_answered_from_the_head_view_meanwhile(
    loyal: LiveWorld, bank: LiveBank, challengers: Challengers
) -> None:
    world = loyal
    world.deposit("ann", 1_000)
    bank.must_pay("ann", "bob", 300, 1)
    world.move_to_eon(2, 10)
    bank.checkpoint(2)
    world.move_to_challenges()
    mark = world.chain.mark()
    world.mine(DEEPER + 1)
    lose(world, mark, DEEPER + 2)
    assert alarms.DEEP_REORGANISATION in open_alarms(world)
    challengers.dispute_balance("ann")
    (row,) = world.challenges()
    assert (row.status, world.live()) == ("open", 1)
    world.answer(row.id)
    assert world.live() == 0
    assert [one.status for one in world.challenges()] == ["answering"], "not confirmed"
    world.mine(world.rules.confirmations)
    assert resync(world, view(world).split_at or 0) == 0
    world.mine()
    assert [one.status for one in world.challenges()] == ["answered"]


@pytest.fixture
def submitted(loyal: LiveWorld, bank: LiveBank) -> Iterator[tuple[LiveWorld, OfTheOperator]]:
    """The root of eon 2 is final; its duty is over."""
    world = loyal
    world.deposit("ann", 1_000)
    world.move_to_eon(2, 10)
    phase = a_checkpoint(world, bank, 2)
    assert isinstance(phase, OfTheOperator)
    yield world, phase


def test_a_root_that_was_final_is_sent_again_without_a_person(
    submitted: tuple[LiveWorld, OfTheOperator],
) -> None:
    world, phase = submitted
    mark = world.chain.mark()
    phase.send()
    world.mine()
    world.mine(DEEPER)
    assert phase.counts()
    with world.begin() as session:
        session.execute(delete(DutyNotice))
    lose(world, mark, DEEPER + 2)
    assert world.context.gateway.last_submission_eon() == 1
    with world.begin() as session:
        intent = session.get_one(TransactionIntent, phase.intent_id)
        assert (intent.state, intent.gas_cost) == ("broadcast", None)
        told = {row.kind: row.arguments for row in session.scalars(select(DutyNotice))}
    assert told[notices.TRANSACTION_OPENED]["intent_id"] == phase.intent_id
    assert told[notices.EON_REOPENED] == {"eon": 2}
    phase.send()
    world.mine()
    assert world.context.gateway.last_submission_eon() == 2
    world.mine(DEEPER)
    assert resync(world, view(world).split_at or 0) == 0
    world.mine()
    assert phase.counts()


def test_a_basis_that_is_not_explained_is_told_of_by_its_eon_until_it_is(
    loyal: LiveWorld, bank: LiveBank
) -> None:
    world = loyal
    world.deposit("ann", 1_000)
    world.move_to_eon(2, 10)
    Bank.checkpoint(bank, 2)
    last = world.rules.clock.last_block(1)
    with world.begin() as session:
        row = session.scalars(select(ContractState).where(ContractState.block == last)).one()
        true, row.basis = row.basis, bytes(32)
    steps = CheckpointWork(world.context)
    assert steps.open_submission(OpenSubmission(2, 1)).readiness == Readiness.WAIT
    assert told_of(world, alarms.ACCUMULATOR) == [("eon-2", True)]
    with world.begin() as session:
        session.get_one(ContractState, row.id).basis = true
    assert steps.open_submission(OpenSubmission(2, 1)).readiness == Readiness.READY
    assert told_of(world, alarms.ACCUMULATOR) == [("eon-2", False)]


def told_of(world: LiveWorld, subject: str) -> list[tuple[str, bool]]:
    """Whom an alarm is about, and whether it is open."""
    with world.begin() as session:
        rows = session.scalars(select(Alarm).where(Alarm.subject == subject)).all()
        return [(row.object, row.cleared_at is None) for row in rows]


def test_no_checkpoint_is_closed_built_or_announced_on_a_chain_that_has_parted(
    submitted: tuple[LiveWorld, OfTheOperator],
) -> None:
    world, _ = submitted
    steps = CheckpointWork(world.context)
    mark = world.chain.mark()
    world.mine(DEEPER + 1)
    lose(world, mark, DEEPER + 2)
    for step in (steps._close, steps._build, steps._announce):
        with pytest.raises(ChainSplit):
            step(2)
    # What was announced before is still submitted: only the basis is read again.
    assert steps.open_submission(OpenSubmission(2, 1)).readiness == Readiness.READY
    resync(world, view(world).split_at or 0)
    steps._close(1)
    steps._announce(2)


def test_the_old_branch_may_come_back_and_nothing_was_decided(loyal: LiveWorld) -> None:
    world = loyal
    world.deposit("ann", 1_000)
    world.mine()
    # The other branch is seen first by a node that is put away: the stored chain is edited to
    # look as if a foreign branch had been followed, then the real one is read again.
    from ledger.blocks import Block, orphan_above, store_blocks
    from ledger.split import open_split

    head = world.chain.node.head()
    parted = head.number - DEEPER
    old = world.chain.node.header(head.number - world.rules.confirmations)
    with world.begin() as session:
        open_split(session, parted, old.block_hash)
        orphan_above(session, parted, is_split=True)
        blocks = [
            Block(number, bytes([number % 251]) * 32, bytes(32), 0)
            for number in range(parted + 1, head.number + 1)
        ]
        store_blocks(session, world.rules.clock, blocks, [])
    assert Follower(world.context).look().reorganised
    world.follow()
    assert (view(world).split_at, view(world).intake) == (None, "open")
    assert has(world, "ann", 1_000)
    with world.begin() as session:
        assert session.scalar(select(func.count()).select_from(Deposit)) == 1
