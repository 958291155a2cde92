"""Requests above what a wallet has left: found, decided on once, in the time that is allowed."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from ledger.checkpoint.funds import managed_funds
from ledger.conservation import token_books
from ledger.duty_notices import undelivered
from ledger.interventions import Person
from ledger.request_decisions import (
    HOLD,
    RELEASE,
    CannotDecide,
    decide_request,
    list_requests,
)
from ledger.slashing import (
    choose_marker,
    decide_slashes,
    give_up_slash,
    queued_slashes,
)
from models import (
    Alarm,
    ChainView,
    RootCommitment,
    Slash,
    TransactionIntent,
    WithdrawalRequest,
)
from protocol.editions import ContractEdition
from tests.ledger.paying import Bank
from tests.ledger.world import ETH, GENESIS, World, key

PUBLISHED = {"edition": ContractEdition.PUBLISHED}


@pytest.fixture
def bank(ledger: World) -> Iterator[Bank]:
    """Bad and good, who have 500 each in eon 3, of which bad has paid 450 with marker 50."""
    bank = Bank(ledger)
    for name in ("bad", "good", "friend"):
        ledger.admit(name)
    ledger.deposit("bad", 500)
    ledger.deposit("good", 500)
    for _ in range(2):
        bank.turn()
        commit(ledger)
    bank.must_pay("bad", "friend", 450, 1, marker=50)
    yield bank
    assert bank.faults() == []


def commit(ledger: World) -> None:
    """Let the root of the current eon be on chain as deep as need be."""
    root = update(RootCommitment).where(RootCommitment.eon == ledger.eon)
    with ledger.begin() as session:
        session.execute(root.values(status="committed"))


def decide(bank: Bank) -> int:
    with bank.world.begin() as session:
        return decide_slashes(session, bank.world.rules)


def statuses(bank: Bank) -> list[tuple[int, str]]:
    with bank.world.begin() as session:
        rows = session.execute(
            select(WithdrawalRequest.amount, WithdrawalRequest.status).order_by(
                WithdrawalRequest.id
            )
        )
        return [(int(amount), status) for amount, status in rows]


def alarms(bank: Bank) -> list[tuple[str, str]]:
    with bank.world.begin() as session:
        rows = session.execute(
            select(Alarm.subject, Alarm.message)
            .where(Alarm.cleared_at.is_(None))
            .order_by(Alarm.id)
        )
        return [(subject, message) for subject, message in rows]


def notices(bank: Bank) -> list[dict[str, object]]:
    with bank.world.begin() as session:
        found = undelivered(session, 1_000)
        return [dict(one.arguments) for one in found if one.kind == "slash-decided"]


def confirm_slash(bank: Bank, name: str, *, eon: int, previous: int, current: int) -> None:
    """Let a slash of `name` stand in the chain, confirmed."""
    block = bank.world.rules.clock.first_block(eon) + 100
    bank.world.event(
        "WithdrawalSlashed",
        block=block,
        token=ETH,
        requestor=key(name).address,
        eon=eon,
        previous_eon_amount=previous,
        current_eon_amount=current,
    )
    bank.world.confirm(block)


def test_a_dishonest_request_is_slashed_once_and_frees_money_when_final(bank: Bank) -> None:
    bank.world.request_withdrawal("bad", 200)
    assert bank.balances("bad").loosely_available == -150
    assert decide(bank) == 1
    assert decide(bank) == 0
    assert statuses(bank) == [(200, "slash_queued")]
    assert notices(bank) == [
        {
            "slash": 1,
            "short_name": "ETH",
            "address": key("bad").address.hex(),
            "eon": 3,
            "number": 1,
        }
    ]
    assert bank.refusal("bad", "friend", 1, 2) == "DEBIT_WALLET_OVERSPENDING"
    confirm_slash(bank, "bad", eon=3, previous=0, current=200)
    assert statuses(bank) == [(200, "slashed")]
    assert bank.balances("bad").loosely_available == 50
    assert decide(bank) == 0
    with bank.world.begin() as session:
        assert session.scalars(select(Slash.status)).all() == ["done"]
    assert alarms(bank) == []


def test_what_is_left_may_be_asked_for_and_is_never_slashed(bank: Bank) -> None:
    bank.world.request_withdrawal("bad", 50)
    bank.world.request_withdrawal("good", 500)
    assert decide(bank) == 0
    assert statuses(bank) == [(50, "pending"), (500, "pending")]


def test_all_requests_of_the_dishonest_are_slashed_and_none_of_the_honest(bank: Bank) -> None:
    for name in ("bad", "good"):
        for amount in (125, 250, 125):
            bank.world.request_withdrawal(name, amount)
    assert decide(bank) == 1
    assert [status for _, status in statuses(bank)] == ["slash_queued"] * 3 + ["pending"] * 3


def test_a_marker_proves_nothing_unless_the_requests_exceed_it(bank: Bank) -> None:
    with bank.world.begin() as session:
        wallet = bank.wallet("bad").id
        edition = bank.world.rules.edition
        assert choose_marker(session, edition, wallet, eon=3, requested=50) is None
        found = choose_marker(session, edition, wallet, eon=3, requested=51)
        assert found is not None and (found.eon, found.amount) == (3, 50)
        assert choose_marker(session, edition, wallet, eon=6, requested=51) is None


def test_the_newest_marker_that_will_do_is_chosen_not_the_smallest(bank: Bank) -> None:
    bank.must_pay("bad", "friend", 0, 2, marker=0)
    bank.must_pay("bad", "friend", 10, 3, marker=40)
    with bank.world.begin() as session:
        found = choose_marker(
            session,
            bank.world.rules.edition,
            bank.wallet("bad").id,
            eon=3,
            requested=200,
        )
    assert found is not None and found.amount == 40


class TestWithoutAMarker:
    """Somebody asks for more than there is and never signed a marker."""

    @pytest.fixture
    def stuck(self, bank: Bank) -> Bank:
        bank.world.request_withdrawal("friend", 1_000)
        assert decide(bank) == 0
        return bank

    def test_a_person_hears_the_amounts_and_the_last_block(self, stuck: Bank) -> None:
        [(subject, message)] = alarms(stuck)
        last = GENESIS + 4 * 180 - 1
        assert subject == "unbacked withdrawal"
        assert "550 of 1000" in message and f"block {last}" in message

    def test_money_that_arrives_cures_it(self, stuck: Bank) -> None:
        stuck.world.deposit("friend", 550)
        assert decide(stuck) == 0
        assert alarms(stuck) == []
        assert statuses(stuck) == [(1_000, "pending")]

    def test_a_marker_that_arrives_makes_it_a_slash(self, stuck: Bank) -> None:
        stuck.world.deposit("friend", 550)
        stuck.must_pay("friend", "good", 0, 1, marker=0)
        stuck.world.request_withdrawal("friend", 1)
        assert decide(stuck) == 1
        assert alarms(stuck) == []


def test_an_unbacked_request_is_not_paid_once_its_eon_is_closed(bank: Bank) -> None:
    bank.world.request_withdrawal("friend", 460)
    bank.world.request_withdrawal("good", 500)
    decide(bank)
    bank.turn()
    assert statuses(bank) == [(460, "blocked"), (500, "pending")]
    with bank.world.begin() as session:
        token = bank.wallet("bad").token_id
        last = bank.world.rules.clock.last_block(3)
        # Blocked or not: the contract counts it, so it counts against the funds.
        assert managed_funds(session.connection(), token, last) == 40
    decide(bank)
    assert "unbacked withdrawal" in [subject for subject, _ in alarms(bank)]


class TestTheTurnOfTheEon:
    """A request of eon 3's last blocks, confirmed in eon 4."""

    @pytest.fixture
    def turned(self, bank: Bank) -> Bank:
        bank.world.move_to_eon(4, sub_block=6)
        bank.world.request_withdrawal("bad", 200, block=GENESIS + 3 * 180 - 1)
        return bank

    def test_closing_decides_and_the_leaf_leaves_the_request_out(self, turned: Bank) -> None:
        summary = turned.checkpoint(4)
        assert statuses(turned) == [(200, "slash_queued")]
        eth = summary.tokens[0]
        assert (eth.upper_bound, eth.managed_funds) == (1_000, 1_000)
        with turned.world.begin() as session:
            [slash] = queued_slashes(session, 3)
        assert "slash of ETH" in slash.label and not slash.is_mined

    def test_a_slash_seen_at_the_head_counts_as_mined(self, turned: Bank) -> None:
        turned.checkpoint(4)
        turned.world.event(
            "WithdrawalSlashed",
            block=GENESIS + 3 * 180 + 7,
            token=ETH,
            requestor=key("bad").address,
            eon=4,
            previous_eon_amount=200,
            current_eon_amount=0,
        )
        with turned.world.begin() as session:
            [slash] = queued_slashes(session, 3)
        assert slash.is_mined

    def test_its_class_is_raised_because_a_checkpoint_waits_for_it(self, bank: Bank) -> None:
        bank.world.request_withdrawal("bad", 200)
        decide(bank)
        with bank.world.begin() as session:
            intent = TransactionIntent(
                key="slash-1-r1", duty="slash", account=bytes(20), callee=bytes(20), calldata=b""
            )
            session.add(intent)
            session.flush()
            session.execute(update(Slash).values(intent_id=intent.id))
        decide(bank)
        assert duties(bank) == ["slash"]
        bank.world.move_to_eon(4, sub_block=1)
        decide(bank)
        assert duties(bank) == ["critical_slash"]
        for state, is_mined in (("broadcast", False), ("mined", True)):
            with bank.world.begin() as session:
                session.execute(update(TransactionIntent).values(state=state, nonce=7))
                assert [one.is_mined for one in queued_slashes(session, 3)] == [is_mined]

    def test_a_request_that_the_slash_will_drop_too_falls_under_it(self, turned: Bank) -> None:
        decide(turned)
        turned.world.request_withdrawal("bad", 30)
        assert statuses(turned) == [(200, "slash_queued"), (30, "slash_queued")]
        turned.checkpoint(4)
        confirm_slash(turned, "bad", eon=4, previous=200, current=30)
        assert statuses(turned) == [(200, "slashed"), (30, "slashed")]
        assert turned.balances("bad").loosely_available == 50

    def test_a_request_after_the_slash_does_not_fall_under_it(self, turned: Bank) -> None:
        decide(turned)
        clock = turned.world.rules.clock
        turned.world.event(
            "WithdrawalSlashed",
            block=clock.first_block(4) + 4,
            token=ETH,
            requestor=key("bad").address,
            eon=4,
            previous_eon_amount=200,
            current_eon_amount=0,
        )
        turned.world.event(
            "WithdrawalRequest",
            block=clock.first_block(4) + 5,
            token=ETH,
            requestor=key("bad").address,
            amount=30,
        )
        turned.world.confirm(clock.first_block(4) + 5)
        assert statuses(turned) == [(200, "slashed"), (30, "pending")]


def duties(bank: Bank) -> list[str]:
    with bank.world.begin() as session:
        return list(session.scalars(select(TransactionIntent.duty)))


class TestWhatACheckpointHasDeducted:
    """A request of 20 that C(4) deducted, and one of 100 in eon 4 that is too much."""

    @pytest.fixture
    def deducted(self, bank: Bank) -> Bank:
        bank.world.request_withdrawal("bad", 20)
        bank.turn()
        assert bank.balances("bad").loosely_available == 30
        bank.world.request_withdrawal("bad", 100)
        return bank

    def test_nothing_is_decided_before_the_root_is_final(self, deducted: Bank) -> None:
        assert decide(deducted) == 0
        assert alarms(deducted) == []

    @pytest.mark.only_on(ContractEdition.HARDENED)
    def test_ours_slashes_only_the_new_one_once_the_root_is_final(self, deducted: Bank) -> None:
        commit(deducted.world)
        assert decide(deducted) == 1
        assert statuses(deducted) == [(20, "pending"), (100, "slash_queued")]
        confirm_slash(deducted, "bad", eon=4, previous=0, current=100)
        assert statuses(deducted) == [(20, "pending"), (100, "slashed")]

    @pytest.mark.parametrize("rules", [PUBLISHED], indirect=True)
    def test_on_the_published_one_it_waits_for_the_next_eon(self, deducted: Bank) -> None:
        commit(deducted.world)
        assert decide(deducted) == 0
        deducted.world.move_to_eon(5, sub_block=1)
        assert decide(deducted) == 1
        assert statuses(deducted) == [(20, "pending"), (100, "slash_queued")]
        deducted.world.move_to_eon(5)
        summary = deducted.checkpoint(5)
        assert summary.tokens[0].upper_bound == summary.tokens[0].managed_funds == 980


def test_the_books_add_up_before_a_slash_at_the_turn_and_after_it(bank: Bank) -> None:
    def differences() -> set[int]:
        with bank.world.begin() as session:
            return {book.difference for book in token_books(session)}

    bank.world.request_withdrawal("bad", 200)
    assert decide(bank) == 1
    assert differences() == {0}
    bank.turn()
    assert statuses(bank) == [(200, "slash_queued")]
    assert differences() == {0}
    confirm_slash(bank, "bad", eon=4, previous=200, current=0)
    assert differences() == {0}


def test_a_blocked_request_is_paid_only_once_a_person_has_released_it(bank: Bank) -> None:
    bank.world.request_withdrawal("bad", 100)
    person = Person("kim", "covered, ticket 4")
    with bank.world.begin() as session:
        [one] = list_requests(session, limit=10)
        with pytest.raises(CannotDecide, match="is pending, not blocked"):
            decide_request(session, one.number, RELEASE, person)
        assert decide_request(session, one.number, HOLD, person)
        assert [row.number for row in list_requests(session, limit=10, only_blocked=True)] == [
            one.number
        ]
        named = replace(person, update_id="ticket 4")
        assert decide_request(session, one.number, RELEASE, named)
        assert not decide_request(session, one.number, RELEASE, named)
        assert list_requests(session, limit=10, only_blocked=True) == []
        woken = [row.key for row in undelivered(session, 100) if f"-{one.number}-" in row.key]
        assert woken == [f"hold-{one.number}-1", f"release-{one.number}-2"]


def test_a_second_decision_of_the_same_eon_has_a_number_of_its_own(bank: Bank) -> None:
    bank.world.request_withdrawal("bad", 200)
    decide(bank)
    confirm_slash(bank, "bad", eon=3, previous=0, current=200)
    bank.world.request_withdrawal("bad", 70)
    assert decide(bank) == 1
    assert [notice["number"] for notice in notices(bank)] == [1, 2]


def test_what_is_given_up_is_decided_anew_while_its_eon_is_open(bank: Bank) -> None:
    bank.world.request_withdrawal("bad", 200)
    decide(bank)
    with bank.world.begin() as session:
        give_up_slash(session, 1)
    assert statuses(bank) == [(200, "pending")]
    assert decide(bank) == 1


def test_what_is_given_up_after_its_eon_was_closed_is_blocked(bank: Bank) -> None:
    bank.world.request_withdrawal("bad", 200)
    bank.world.move_to_eon(4)
    bank.close(3)
    with bank.world.begin() as session:
        give_up_slash(session, 1)
    assert statuses(bank) == [(200, "blocked")]


def test_nothing_is_decided_on_a_halted_chain(bank: Bank) -> None:
    bank.world.request_withdrawal("bad", 200)
    with bank.world.begin() as session:
        session.execute(update(ChainView).values(intake="halted"))
    assert decide(bank) == 0
    assert statuses(bank) == [(200, "pending")]
