"""Challenges are met in the block that shows them, and settled in a block that is confirmed."""

import pytest
from sqlalchemy import delete, select

from activities.broadcasting import Broadcaster
from duties import alarms
from duties.challenges import Standing
from duties.transactions import Broadcast
from ledger.blocks import Block, ObservedEvent, orphan_above, store_blocks
from ledger.challenges.book import note_challenges, open_challenges
from ledger.duty_notices import mark_delivered, undelivered
from models import Alarm, Challenge, DutyNotice
from protocol.clock import EonClock
from tests.challenges.challenging import Challengers
from tests.challenges.live import LiveBank, LiveWorld
from tests.ledger.world import ETH, World, key


@pytest.fixture
def challenged(world: LiveWorld, bank: LiveBank, challengers: Challengers) -> Challenge:
    """Ann had money in eon 1 and challenges its state in eon 2."""
    world.admit("ann")
    world.deposit("ann", 1_000)
    bank.checkpoint(1)
    bank.turn()
    world.move_to_challenges()
    challengers.dispute_balance("ann")
    [row] = world.challenges()
    return row


def open_alarms(world: World) -> set[str]:
    with world.begin() as session:
        return set(session.scalars(select(Alarm.subject).where(Alarm.cleared_at.is_(None))))


def notices(world: World) -> list[str]:
    with world.begin() as session:
        return list(
            session.scalars(select(DutyNotice.key).where(DutyNotice.kind == "challenge-issued"))
        )


def test_a_challenge_is_known_with_its_deadline_in_the_block_that_shows_it(
    world: LiveWorld, challenged: Challenge
) -> None:
    clock, head = world.rules.clock, world.chain.node.head()
    assert challenged.issue_block == head.number
    assert challenged.deadline_block == head.number + clock.epoch_blocks - 1
    assert (challenged.kind, challenged.initial_state_eon) == ("state_update", 1)
    assert (challenged.delta_highest_spendings, challenged.trail) == (0, 1)
    assert notices(world) == [f"challenge-{challenged.id}"]
    assert open_alarms(world) == {alarms.DISPUTE}
    world.follow()
    world.mine()
    assert len(world.challenges()) == 1 and len(notices(world)) == 1


def test_an_answer_counts_at_its_depth_and_not_before(
    world: LiveWorld, challenged: Challenge
) -> None:
    world.answer(challenged.id)
    [row] = world.challenges()
    assert (row.status, row.cleared_block) == ("answering", world.chain.node.head().number)
    assert world.try_answers(row.id, 2).standing == Standing.CLEARED
    world.settle()
    [row] = world.challenges()
    assert row.status == "answered"
    assert open_alarms(world) == set()
    assert world.try_answers(row.id, 2).standing == Standing.ENDED


def test_an_answer_whose_block_is_lost_is_owed_again(
    world: LiveWorld, challenged: Challenge
) -> None:
    mark = world.chain.mark()
    trial = world.answer(challenged.id)
    world.chain.return_to(mark)
    world.chain.rpc("anvil_dropAllTransactions")
    world.mine(2)
    [row] = world.challenges()
    assert (row.status, row.cleared_block) == ("open", None)
    assert world.live() == 1
    # The same bytes once more.
    Broadcaster(world.context).broadcast(Broadcast(trial.intent_id))
    world.mine()
    world.settle()
    assert [row.status for row in world.challenges()] == ["answered"]


def test_a_challenge_that_leaves_the_chain_is_orphaned_and_another_takes_its_place(
    world: LiveWorld, bank: LiveBank, challengers: Challengers
) -> None:
    world.admit("ann")
    bank.checkpoint(1)
    bank.turn()
    world.move_to_challenges()
    mark = world.chain.mark()
    challengers.dispute_balance("ann")
    [first] = world.challenges()
    world.chain.return_to(mark)
    world.chain.rpc("anvil_dropAllTransactions")
    world.mine(2)
    assert [row.status for row in world.challenges()] == ["orphaned"]
    assert world.try_answers(first.id).standing == Standing.ENDED
    challengers.dispute_balance("ann")
    rows = world.challenges()
    assert [row.status for row in rows] == ["orphaned", "open"]
    assert rows[1].deadline_block == first.deadline_block + 2
    assert open_alarms(world) == {alarms.DISPUTE}
    world.answer_all()
    assert world.live() == 0


def test_a_challenge_that_nobody_told_of_shows_in_the_contracts_count(
    world: LiveWorld, challenged: Challenge
) -> None:
    with world.begin() as session:
        session.execute(delete(Challenge))
    world.mine()
    assert alarms.DISPUTE_COUNT in open_alarms(world)
    with world.begin() as session:
        message = session.scalar(select(Alarm.message).where(Alarm.subject == alarms.DISPUTE_COUNT))
    assert message == "eon 2: the contract counts 1 open, we know 0"


def test_a_missed_deadline_is_a_lapse_once_it_is_confirmed(
    world: LiveWorld, challenged: Challenge
) -> None:
    world.move_to(challenged.deadline_block - 1)
    assert world.try_answers(challenged.id, 7).standing == Standing.READY
    world.mine()
    late = world.try_answers(challenged.id, 8)
    assert (late.standing, late.status) == (Standing.LATE, "answering")
    world.settle()
    ended = world.try_answers(challenged.id, 8)
    assert (ended.standing, ended.status) == (Standing.ENDED, "lapsed")
    assert [row.status for row in world.challenges()] == ["lapsed"]


def test_the_block_that_finds_the_contract_halted_by_a_challenge_calls_people(
    world: LiveWorld, bank: LiveBank, challengers: Challengers
) -> None:
    clock = world.rules.clock
    world.admit("ann")
    bank.checkpoint(1)
    world.move_to_eon(2)
    bank.checkpoint(2)
    world.move_to_challenges()
    challengers.dispute_balance("ann")
    world.move_to(clock.last_block(2))
    assert alarms.HALTED not in open_alarms(world)
    while not world.context.gateway.is_halted():
        world.mine()
    assert clock.eon_of(world.chain.node.head().number) == 3, "no eon was missed"
    with world.begin() as session:
        halted = session.scalars(select(Alarm).where(Alarm.subject == alarms.HALTED)).one()
        told = (halted.object, halted.severity, halted.message)
    assert told[:2] == ("chain", alarms.CRITICAL)
    assert "1 challenges of eon 2 were not answered" in told[2]


# Without a node: what a block says is all that the ledger needs.


def block(number: int) -> Block:
    return Block(number, number.to_bytes(32, "big"), (number - 1).to_bytes(32, "big"), number)


def issued(number: int, token: bytes, recipient: str, sender: str) -> ObservedEvent:
    return ObservedEvent(
        block=number,
        block_hash=block(number).block_hash,
        log_index=0,
        transaction_hash=bytes(32),
        name="ChallengeIssued",
        arguments={
            "token": token.hex(),
            "recipient": key(recipient).address.hex(),
            "sender": key(sender).address.hex(),
        },
    )


def take(ledger: World, clock: EonClock, number: int, *events: ObservedEvent) -> int:
    with ledger.begin() as session:
        store_blocks(session, clock, [block(number)], events)
        return len(note_challenges(session, clock, events))


def test_what_nobody_knows_is_kept_with_its_deadline(ledger: World) -> None:
    clock, number = ledger.rules.clock, ledger.rules.clock.first_block(2)
    assert take(ledger, clock, number, issued(number, bytes([7]) * 20, "ann", "ann")) == 1
    with ledger.begin() as session:
        [dispute] = open_challenges(session, 10)
    assert (dispute.kind, dispute.is_known, dispute.about) == ("unknown", False, "0x" + "07" * 20)
    assert dispute.deadline_block == number + 44


def test_a_challenge_comes_back_with_its_block_and_is_told_of_again(ledger: World) -> None:
    clock, number = ledger.rules.clock, ledger.rules.clock.first_block(2)
    event = issued(number, ETH, "ann", "bob")
    assert take(ledger, clock, number, event) == 1
    with ledger.begin() as session:
        mark_delivered(session, [one.id for one in undelivered(session, 10)])
        orphan_above(session, number - 1)
        assert open_challenges(session, 10) == []
        assert undelivered(session, 10) == []
    assert take(ledger, clock, number, event) == 1
    assert take(ledger, clock, number, event) == 0
    with ledger.begin() as session:
        [dispute] = open_challenges(session, 10)
        assert [one.key for one in undelivered(session, 10)] == [f"challenge-{dispute.id}"]
    assert dispute.kind == "delivery"


def test_challenges_are_told_of_before_thousands_of_desks(ledger: World) -> None:
    from duties import notices as kinds
    from ledger.duty_notices import notice

    with ledger.begin() as session:
        for number in range(150):
            notice(session, f"withdrawal-payable-{number}", "withdrawal-payable", {})
        notice(session, "challenge-9", kinds.CHALLENGE_ISSUED, {"challenge": 9})
        first, *_ = undelivered(session, 100, urgent=kinds.URGENT)
    assert first.key == "challenge-9"
