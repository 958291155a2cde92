"""Orders from placement over eons to their end, as the scenarios tell it."""

import pytest

from protocol.editions import ContractEdition
from tests.ledger.world import ETH, LQD
from tests.orders.market import Market


def test_a_placed_order_is_countersigned_in_its_first_eon_only(market: Market) -> None:
    market.trader("t", eth=600)
    order = market.place("t", 600, 1500, eons=5)
    rows = market.rows(order)
    assert [row.eon for row in rows] == [1, 2, 3, 4, 5]
    assert [row.appended for row in rows] == [True, False, False, False, False]
    for row in rows:
        debit = market.state(row.sender_active_state_id)
        credit = market.state(row.recipient_active_state_id)
        wish = market.state(row.recipient_fulfillment_active_state_id)
        assert (debit.spent, debit.gained) == (600, 0)
        assert (credit.spent, credit.gained) == (0, 0)
        assert (wish.spent, wish.gained) == (0, 1500)
        signed = [one.operator_signature is not None for one in (debit, credit, wish)]
        assert signed == [row.eon == 1, row.eon == 1, False]
    assert {(row.sender_starting_balance, row.recipient_starting_balance) for row in rows} == {
        (600, 0)
    }
    told = market.told("SWAP_CONFIRMATION") + market.told("INCOMING_SWAP")
    assert [row.transfer_id for row in told] == [order, order]
    assert [len(row.streams) for row in told] == [2, 1]


@pytest.mark.parametrize(
    ("amount", "how", "code"),
    [
        (601, {}, "DEBIT_WALLET_OVERSPENDING"),
        (599, {}, "DEBIT_WALLET_BALANCE_AMOUNT_MISMATCH"),
        (600, {"eons": 21}, "TOO_MANY_FUTURE_SIGNATURES"),
        (600, {"fulfilment_signatures": ()}, "WRONG_NUMBER_OF_SIGNATURES"),
        (600, {"debit_signatures": ()}, "WRONG_NUMBER_OF_SIGNATURES"),
        (600, {"eon": 2}, "EON_NUMBER_OUT_OF_SYNC"),
    ],
)
def test_an_order_must_be_exact(
    market: Market, amount: int, how: dict[str, int], code: str
) -> None:
    market.trader("t", eth=600)
    assert market.refusal("t", amount, 1500, **how) == code
    assert market.bank.balances("t").reserved == 0


@pytest.mark.parametrize("later", [0, 2])
@pytest.mark.parametrize(
    ("part", "code"),
    [
        ("debit_signatures", "INVALID_{}DEBIT_SIGNATURE"),
        ("credit_signatures", "INVALID_{}CREDIT_SIGNATURE"),
        ("fulfilment_signatures", "INVALID_{}CREDIT_FULFILLMENT_SIGNATURE"),
        ("debit_marker_signatures", "INVALID_DEBIT_BALANCE_SIGNATURE"),
        ("credit_marker_signatures", "INVALID_CREDIT_BALANCE_SIGNATURE"),
    ],
)
def test_every_signature_of_every_eon_is_checked(
    market: Market, part: str, code: str, later: int
) -> None:
    market.trader("t", eth=600)
    refused = market.refusal("t", 600, 1500, eons=4, spoil=(part, later))
    assert refused == code.format("FUTURE_" if later else "")
    market.place("t", 600, 1500)


def test_the_credit_wallet_must_be_empty(market: Market) -> None:
    market.trader("t", eth=600, lqd=1)
    assert market.refusal("t", 600, 1500) == "CREDIT_WALLET_BALANCE_NOT_ZERO"


def test_an_open_order_blocks_both_wallets_until_it_ends(market: Market) -> None:
    market.trader("t", eth=600)
    market.trader("u", eth=10, lqd=10)
    order = market.place("t", 600, 1500)
    busy = "DEBIT_WALLET_CANNOT_ADD_TRANSACTION"
    assert market.refusal("t", 600, 1500) == busy
    assert market.code(market.pay, "t", "u", 1, token=ETH) == busy
    credit_busy = "CREDIT_WALLET_CANNOT_ADD_TRANSACTION"
    assert market.code(market.pay, "u", "t", 1, token=LQD) == credit_busy
    market.freeze(order)
    assert market.code(market.pay, "t", "u", 1, token=ETH) == busy
    market.cancel(order)
    market.pay("t", "u", 600, token=ETH)


def test_orders_wait_for_the_checkpoint_of_their_eon(market: Market) -> None:
    market.trader("t", eth=600)
    market.world.move_to_eon(2)
    assert market.refusal("t", 600, 1500) == "EON_NUMBER_OUT_OF_SYNC"
    market.bank.checkpoint(2)
    market.announce()
    market.place("t", 600, 1500)


def test_a_nonce_serves_one_order_of_a_pair_because_freeze_messages_name_no_eon(
    market: Market,
) -> None:
    market.trader("t", eth=600)
    order = market.place("t", 600, 1500, nonce=7)
    market.freeze(order)
    market.cancel(order)
    market.turn()
    assert market.refusal("t", 600, 1500, nonce=7) == "unique"
    market.place("t", 600, 1500, nonce=8)


def test_an_order_lives_over_eons_and_is_frozen_and_cancelled(market: Market) -> None:
    market.trader("t", eth=600)
    market.trader("u", lqd=500)
    market.trader("v", lqd=250)
    order = market.place("t", 600, 1500, eons=5)
    first = market.place("u", 500, 200, sold=LQD)
    market.match()
    assert market.matched(order) == (200, 500)
    assert market.row(first).complete
    assert (market.has("t", ETH), market.has("t", LQD)) == (400, 500)
    market.turn()
    assert (market.start("t", ETH), market.start("t", LQD)) == (400, 500)
    copy = market.row(order)
    assert copy.appended
    assert market.state(copy.sender_active_state_id).operator_signature is not None
    market.place("v", 250, 100, sold=LQD)
    market.match()
    assert market.matched(order) == (300, 750)
    answer = market.freeze(order)
    assert answer["matched_amounts"] == {"matched_out": "300", "matched_in": "750"}
    cancelled = market.cancel(order)
    debit = cancelled["sender_cancellation_active_state"]
    credit = cancelled["recipient_cancellation_active_state"]
    assert (debit["updated_spendings"], debit["updated_gains"]) == ("600", "500")
    assert (credit["updated_spendings"], credit["updated_gains"]) == ("1500", "1750")
    rows = market.rows(order)
    assert [row.voided for row in rows] == [False, False, True, True, True]
    later = [market.state(row.sender_cancellation_active_state_id) for row in rows[2:]]
    assert [(s.spent, s.gained, s.operator_signature) for s in later] == [(601, 601, None)] * 3
    later = [market.state(row.recipient_cancellation_active_state_id) for row in rows[2:]]
    assert [(s.spent, s.gained, s.operator_signature) for s in later] == [(1751, 1751, None)] * 3
    assert (market.has("t", ETH), market.has("t", LQD)) == (300, 750)
    market.pay("t", "operator", 50, token=LQD)
    market.turn()
    assert (market.start("t", ETH), market.start("t", LQD)) == (300, 700)


def test_a_fulfilled_order_is_finalised_and_its_wallets_go_on(market: Market) -> None:
    market.trader("t", eth=300)
    market.trader("u", lqd=900)
    market.place("u", 900, 300, sold=LQD)
    order = market.place("t", 300, 600, eons=3)
    market.match()
    rows = market.rows(order)
    assert rows[0].complete
    assert [row.voided for row in rows] == [False, True, True]
    wish = market.state(rows[0].recipient_fulfillment_active_state_id)
    assert (wish.gained, wish.operator_signature is not None) == (600, True)
    assert market.code(market.freeze, order) == "SWAP_ALREADY_FULFILLED"
    answer = market.finalise(order)
    state = answer["recipient_finalization_active_state"]
    assert (state["updated_spendings"], state["updated_gains"]) == ("600", "1500")
    later = [
        market.state(row.recipient_finalization_active_state_id) for row in market.rows(order)[1:]
    ]
    assert [(s.spent, s.gained, s.operator_signature) for s in later] == [(1501, 1501, None)] * 2
    assert market.code(market.finalise, order) == "SWAP_ALREADY_CLOSED"
    assert market.has("t", LQD) == 900
    market.pay("t", "operator", 900, token=LQD)
    market.turn()
    assert market.start("t", LQD) == 0


def test_a_fulfilled_order_that_nobody_finalises_ends_with_its_eon(market: Market) -> None:
    market.trader("t", eth=300)
    market.trader("u", lqd=900)
    market.place("u", 900, 300, sold=LQD)
    order = market.place("t", 300, 600, eons=3)
    market.match()
    market.turn()
    assert market.start("t", LQD) == 900
    assert market.code(market.finalise, order) == "SWAP_NOT_FULFILLED"
    market.pay("t", "operator", 900, token=LQD)


def test_a_late_fulfilment_that_could_not_be_answered_for_is_not_countersigned(
    market: Market,
) -> None:
    market.trader("t", eth=400)
    market.trader("u", lqd=200)
    market.trader("v", lqd=600)
    order = market.place("t", 400, 800, eons=4)
    market.place("u", 200, 100, sold=LQD)
    market.match()
    market.turn()
    market.place("v", 600, 300, sold=LQD)
    market.match()
    row = market.row(order)
    assert row.complete
    assert market.state(row.recipient_fulfillment_active_state_id).operator_signature is None
    market.turn()
    assert (market.start("t", ETH), market.start("t", LQD)) == (0, 800)


def test_a_late_fulfilment_can_be_finalised_in_its_eon(market: Market) -> None:
    market.trader("t", eth=400)
    market.trader("u", lqd=200)
    market.trader("v", lqd=600)
    order = market.place("t", 400, 800, eons=4)
    market.place("u", 200, 100, sold=LQD)
    market.match()
    market.turn()
    market.place("v", 600, 300, sold=LQD)
    market.match()
    state = market.finalise(order)["recipient_finalization_active_state"]
    assert (state["updated_spendings"], state["updated_gains"]) == ("800", "1400")
    assert market.has("t", LQD) == 800
    market.pay("t", "operator", 800, token=LQD)
    market.turn()
    assert (market.start("t", ETH), market.start("t", LQD)) == (0, 0)


def test_an_unfilled_order_expires_silently(market: Market) -> None:
    market.trader("t", eth=600)
    order = market.place("t", 600, 1500)
    market.turn()
    [row] = market.rows(order)
    assert (row.processed, row.complete, row.voided) == (True, False, False)
    assert market.start("t", ETH) == 600
    assert market.code(market.freeze, order) == "SWAP_ALREADY_CLOSED"
    market.place("t", 600, 1500)


@pytest.mark.only_on(ContractEdition.HARDENED)
def test_a_strangers_deposit_ends_one_order_and_no_other(market: Market) -> None:
    market.trader("t", eth=600)
    market.trader("u", eth=5)
    order = market.place("t", 600, 1500, eons=5)
    other = market.place("u", 5, 5, eons=2)
    market.world.deposit("t", 1)
    market.turn()
    assert market.start("t", ETH) == 601
    assert [row.voided for row in market.rows(order)] == [False, True, True, True, True]
    assert market.row(other).appended
    market.place("t", 601, 1500)
    market.turn()


@pytest.mark.only_on(ContractEdition.PUBLISHED)
def test_a_strangers_deposit_waits_until_the_order_has_ended(market: Market) -> None:
    market.trader("t", eth=600)
    order = market.place("t", 600, 1500, eons=5)
    market.world.deposit("t", 1)
    market.turn()
    assert market.start("t", ETH) == 600
    assert market.row(order).appended
    market.freeze(order)
    market.cancel(order)
    market.turn()
    assert market.start("t", ETH) == 601


def test_an_order_frozen_and_not_cancelled_ends_at_the_turn(market: Market) -> None:
    market.trader("t", eth=600)
    order = market.place("t", 600, 1500, eons=5)
    market.freeze(order)
    assert market.code(market.freeze, order) == "SWAP_ALREADY_FROZEN"
    market.turn()
    rows = market.rows(order)
    assert (rows[0].processed, rows[0].cancelled) == (True, False)
    assert all(row.voided for row in rows[1:])
    assert market.code(market.cancel, order) == "SWAP_ALREADY_CLOSED"
    market.place("t", 600, 1500)


def test_an_order_frozen_before_its_copy_is_confirmed_is_cancelled_after(market: Market) -> None:
    market.trader("t", eth=600)
    order = market.place("t", 600, 1500, eons=3)
    market.world.move_to_eon(2)
    market.freeze(order)
    assert market.code(market.cancel, order) == "INTAKE_CLOSED"
    market.bank.checkpoint(2)
    market.announce()
    market.match()
    market.cancel(order)
    market.pay("t", "operator", 600, token=ETH)


def test_only_the_owner_freezes_and_only_frozen_orders_are_cancelled(market: Market) -> None:
    market.trader("t", eth=600)
    order = market.place("t", 600, 1500, eons=2)
    assert market.code(market.freeze, order, signer="u") == "INVALID_FREEZING_SIGNATURE"
    assert market.code(market.cancel, order) == "SWAP_NOT_FROZEN"
    assert market.code(market.finalise, order) == "SWAP_NOT_FULFILLED"
    market.freeze(order)
    assert market.code(market.finalise, order) == "SWAP_NOT_FULFILLED"
    market.cancel(order)
    assert market.code(market.cancel, order) == "SWAP_ALREADY_CLOSED"
