"""Balances: what confirmation, requests, slashes and the turn of the eon do to a wallet's money."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.ledger.paying import Bank
from tests.ledger.world import World, key

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def bank(ledger: World) -> Iterator[Bank]:
    bank = Bank(ledger)
    yield bank
    assert bank.faults() == []


def admit(bank: Bank, *names: str) -> None:
    for name in names:
        bank.world.admit(name)


def slash(bank: Bank, name: str, amount: int) -> None:
    """Let every request of the wallet be slashed, as the confirmed event does it."""
    wallet = {"wallet": bank.wallet(name).id, "amount": amount}
    with bank.world.begin() as session:
        session.execute(
            text("UPDATE withdrawal_request SET status = 'slashed' WHERE wallet_id = :wallet"),
            wallet,
        )
        session.execute(
            text(
                "UPDATE wallet_eon SET withdrawn = withdrawn - :amount "
                "WHERE wallet_id = :wallet AND withdrawn > 0"
            ),
            wallet,
        )


def test_a_deposit_counts_from_its_confirmation_on(bank: Bank) -> None:
    admit(bank, "a", "b")
    bank.world.event(
        "Deposit",
        block=150,
        token=bank.world.rules.contract,
        recipient=key("a").address,
        amount=1000,
    )
    bank.world.move_to(152)
    bank.world.confirm(149)
    assert bank.refusal("a", "b", 1, 1) == "DEBIT_WALLET_OVERSPENDING"
    bank.world.move_to(153)
    bank.world.confirm(150)
    assert bank.balances("a").loosely_available == 1000
    bank.must_pay("a", "b", 1, 1)


def test_the_turn_of_the_eon_counts_no_money_twice(bank: Bank) -> None:
    admit(bank, "a", "b")
    bank.world.deposit("a", 1000)
    bank.world.deposit("b", 50)
    bank.must_pay("a", "b", 300, 1)
    bank.must_pay("b", "a", 50, 2)
    bank.world.move_to_eon(2)
    before = bank.balances("a")
    assert (before.allotment, before.loosely_available, before.starting_balance) == (None, 750, 750)
    bank.checkpoint(2)
    after = bank.balances("a")
    assert (after.allotment, after.loosely_available, after.starting_balance) == (750, 750, 750)


def test_a_wallet_without_business_keeps_its_money_over_many_eons(bank: Bank) -> None:
    admit(bank, "a", "b")
    bank.world.deposit("a", 100)
    for _ in range(3):
        bank.turn()
    assert bank.balances("a").allotment == 100
    bank.world.move_to_eon(5)
    assert bank.balances("a").loosely_available == 100
    bank.must_pay("a", "b", 100, 1)
    bank.checkpoint(5)
    assert bank.balances("b").allotment == 0
    assert bank.balances("b").loosely_available == 100


def test_a_request_takes_money_and_its_slash_gives_it_back(bank: Bank) -> None:
    admit(bank, "a")
    bank.world.deposit("a", 500)
    bank.turn()
    bank.turn()
    bank.world.request_withdrawal("a", 200)
    assert bank.balances("a").loosely_available == 300
    slash(bank, "a", 200)
    assert bank.balances("a").loosely_available == 500


def test_withdrawable_is_bounded_by_the_proven_allotment_and_by_what_is_left(bank: Bank) -> None:
    admit(bank, "a", "b", "c")
    bank.world.deposit("a", 500)
    bank.world.deposit("b", 300)
    bank.turn()
    bank.turn()
    bank.must_pay("b", "a", 300, 1)
    assert bank.balances("a").withdrawable == 500
    bank.world.request_withdrawal("a", 200)
    assert bank.balances("a").withdrawable == 300
    bank.must_pay("a", "c", 550, 2)
    assert bank.balances("a").withdrawable == 50


def test_a_request_for_spent_money_stops_all_spending_until_it_is_slashed(bank: Bank) -> None:
    admit(bank, "a", "b")
    bank.world.deposit("a", 500)
    bank.turn()
    bank.turn()
    bank.must_pay("a", "b", 450, 1, marker=50)
    bank.world.request_withdrawal("a", 200)
    assert bank.balances("a").loosely_available == -150
    assert bank.refusal("a", "b", 0, 2) == "DEBIT_WALLET_OVERSPENDING"
    slash(bank, "a", 200)
    assert bank.balances("a").loosely_available == 50
    bank.must_pay("a", "b", 50, 2)


def test_a_deposit_of_the_last_blocks_is_carried_into_the_checkpoint(bank: Bank) -> None:
    admit(bank, "a")
    last = bank.world.rules.clock.last_block(1)
    bank.world.move_to(last + 3)
    bank.world.deposit("a", 70, block=last)
    assert bank.balances("a").loosely_available == 70
    bank.checkpoint(2)
    assert bank.balances("a").allotment == 70
