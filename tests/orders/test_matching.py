"""What trades with what, at which price, told to whom."""

import threading

import pytest

from ledger.proofs import allotment_proof, receipt_proofs
from models import ActiveState
from protocol.editions import ContractEdition
from protocol.trees import plain
from tests.ledger.world import ETH, LQD, key
from tests.orders.market import Market

E18 = 10**18


def test_a_taker_trades_at_the_resting_price(market: Market) -> None:
    market.trader("maker", lqd=900)
    market.trader("taker", eth=100)
    resting = market.place("maker", 900, 300, sold=LQD)
    market.match()
    taker = market.place("taker", 100, 250)
    assert market.match().trades == 1
    assert market.matched(taker) == (100, 300)
    assert market.matched(resting) == (300, 100)
    assert (market.row(taker).complete, market.row(resting).complete) == (True, False)
    told = market.told("MATCHED_SWAP")
    assert [row.transfer_id for row in told] == [resting, taker]
    assert [len(row.streams) for row in told] == [3, 3]
    assert {stream.split("/")[0] for row in told for stream in row.streams} == {
        "wallet",
        "tokenpair",
    }


def test_the_best_price_comes_first(market: Market) -> None:
    for name in ("m1", "m2"):
        market.trader(name, lqd=500)
    market.trader("taker", eth=300)
    second = market.place("m2", 500, 250, sold=LQD)
    first = market.place("m1", 500, 100, sold=LQD)
    taker = market.place("taker", 300, 600)
    market.match()
    assert (market.row(taker).complete, market.matched(taker)) == (True, (300, 900))
    assert (market.row(first).complete, market.matched(first)) == (True, (500, 100))
    assert market.matched(second) == (400, 200)


def test_equal_prices_are_served_in_the_order_of_acceptance_also_after_a_restart(
    market: Market,
) -> None:
    for name in ("q", "p"):
        market.trader(name, lqd=100)
    market.trader("taker", eth=50)
    p = market.place("p", 100, 50, sold=LQD)
    q = market.place("q", 100, 50, sold=LQD)
    market.match()
    market.matcher = market.new_matcher()
    market.place("taker", 50, 100)
    market.match()
    assert (market.matched(p), market.matched(q)) == ((100, 50), (0, 0))


def test_the_change_of_a_finalised_buy_order_is_in_the_next_allotment(market: Market) -> None:
    market.trader("maker", lqd=900)
    market.trader("buyer", eth=100)
    market.place("maker", 900, 300, sold=LQD)
    order = market.place("buyer", 100, 240, sells=False)
    market.match()
    assert market.matched(order) == (80, 240)
    assert (market.row(order).complete, market.has("buyer", ETH)) == (True, 20)
    market.finalise(order)
    assert market.has("buyer", ETH) == 0
    market.turn()
    assert (market.start("buyer", ETH), market.start("buyer", LQD)) == (20, 240)
    market.pay("buyer", "operator", 20, token=ETH)


def test_nothing_is_given_for_nothing(market: Market) -> None:
    market.trader("maker", lqd=7)
    resting = market.place("maker", 7, 4, sold=LQD)
    market.match()
    for turn in range(4):
        market.trader(f"b{turn}", eth=1)
        order = market.place(f"b{turn}", 1, 1, sells=False)
        market.match()
        assert market.matched(order) == (1, 1)
    given, got = market.matched(resting)
    assert given * 4 <= got * 7


def test_a_payment_is_rounded_up_so_that_large_orders_meet(market: Market) -> None:
    market.trader("maker", lqd=3 * E18)
    market.trader("buyer", eth=E18 // 2)
    market.place("maker", 3 * E18, E18, sold=LQD)
    order = market.place("buyer", E18 // 2, E18, sells=False)
    market.match()
    assert market.matched(order) == (333333333333333334, E18)


def test_takers_of_one_batch_meet_each_other(market: Market) -> None:
    market.trader("a", eth=10)
    market.trader("b", lqd=10)
    market.place("a", 10, 10)
    market.place("b", 10, 10, sold=LQD)
    done = market.match()
    assert (done.takers, done.trades) == (2, 1)


def test_a_frozen_order_does_not_trade_and_the_next_one_does(market: Market) -> None:
    for name in ("m1", "m2"):
        market.trader(name, lqd=100)
    market.trader("taker", eth=100)
    frozen = market.place("m1", 100, 50, sold=LQD)
    other = market.place("m2", 100, 100, sold=LQD)
    market.match()
    market.freeze(frozen)
    taker = market.place("taker", 100, 100)
    market.match()
    assert (market.matched(frozen), market.matched(other)) == ((0, 0), (100, 100))
    assert market.row(taker).complete


def test_an_order_does_not_trade_while_its_wallet_asks_to_withdraw_its_money(
    market: Market,
) -> None:
    market.trader("t", eth=100)
    market.trader("u", lqd=100)
    market.turn()
    order = market.place("t", 100, 100, eons=2)
    market.world.request_withdrawal("t", 60)
    taker = market.place("u", 100, 100, sold=LQD)
    market.match()
    assert (market.matched(order), market.matched(taker)) == ((0, 0), (0, 0))


@pytest.mark.parametrize("rested", [True, False])
def test_an_order_whose_wallet_was_overdrawn_trades_once_the_request_is_slashed(
    market: Market, rested: bool
) -> None:
    market.trader("t", eth=100)
    market.trader("u", lqd=100)
    market.turn()
    order = market.place("t", 100, 100)
    if rested:
        market.match()
    market.world.request_withdrawal("t", 60)
    taker = market.place("u", 100, 100, sold=LQD)
    market.match()
    assert market.matched(taker) == (0, 0)
    block = market.world.rules.clock.first_block(market.world.eon) + 100
    market.world.event(
        "WithdrawalSlashed",
        block=block,
        token=ETH,
        requestor=key("t").address,
        eon=market.world.eon,
        previous_eon_amount=0,
        current_eon_amount=60,
    )
    market.world.confirm(block)
    # Another process, which remembers nothing of what was unfit.
    market.new_matcher().run_until_idle()
    assert (market.matched(order), market.matched(taker)) == ((100, 100), (100, 100))


def test_an_order_placed_at_the_end_of_an_eon_is_taker_in_the_next(market: Market) -> None:
    market.trader("t", eth=100)
    market.trader("u", lqd=100)
    resting = market.place("u", 100, 100, sold=LQD, eons=2)
    market.match()
    taker = market.place("t", 100, 100, eons=2)
    market.turn()
    assert (market.row(resting).complete, market.row(taker).complete) == (True, True)


def test_a_taker_waits_until_its_answer_has_left(market: Market) -> None:
    market.trader("t", eth=100)
    market.place("t", 100, 100)
    assert market.new_matcher(delay_s=60.0).step().is_idle
    assert market.new_matcher(delay_s=0.0).step().takers == 1


def test_an_order_goes_on_only_when_wallets_have_heard_of_the_checkpoint(market: Market) -> None:
    market.trader("t", eth=100)
    order = market.place("t", 100, 100, eons=2)
    market.bank.turn()
    assert market.new_matcher().step().is_idle
    market.announce()
    assert market.new_matcher().step().confirmed == 1
    assert market.row(order).appended


def test_a_second_matcher_with_old_books_repeats_no_trade(market: Market) -> None:
    old = market.new_matcher()
    market.trader("maker", lqd=100)
    for name in ("a", "b"):
        market.trader(name, eth=60)
    resting = market.place("maker", 100, 100, sold=LQD)
    old.run_until_idle()
    market.place("a", 60, 60)
    market.match()
    taker = market.place("b", 60, 60)
    old.run_until_idle()
    assert market.matched(resting) == (100, 100)
    assert market.matched(taker) == (40, 40)


def test_matchers_that_work_at_once_lose_and_repeat_nothing(market: Market) -> None:
    for number in range(6):
        market.trader(f"x{number}", eth=100)
        market.trader(f"y{number}", lqd=100)
    orders = []
    for number in range(6):
        orders.append(market.place(f"x{number}", 100, 100))
        orders.append(market.place(f"y{number}", 100, 100, sold=LQD))
    threads = [
        threading.Thread(target=market.new_matcher(batch=2).run_until_idle) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    market.match()
    assert all(market.row(order).complete for order in orders)


@pytest.mark.parametrize("rules", [{"edition": ContractEdition.PUBLISHED}], indirect=True)
def test_the_published_contract_gets_an_open_orders_gain_later(market: Market) -> None:
    market.trader("maker", lqd=600)
    market.trader("taker")
    market.world.deposit("taker", 250, ETH)
    assert market.refusal("taker", 250, 600) == "DEBIT_WALLET_OVERSPENDING"
    market.turn()
    market.place("maker", 600, 200, sold=LQD)
    order = market.place("taker", 250, 600, eons=5)
    market.match()
    assert market.matched(order) == (200, 600)
    market.turn()
    assert market.start("taker", LQD) == 480
    assert market.row(order).appended
    market.freeze(order)
    market.cancel(order)
    market.turn()
    assert (market.start("taker", LQD), market.start("taker", ETH)) == (600, 50)


@pytest.mark.only_on(ContractEdition.HARDENED)
def test_the_hardened_contract_gets_an_open_orders_gain_at_once(market: Market) -> None:
    market.trader("maker", lqd=600)
    market.trader("taker", eth=250)
    market.place("maker", 600, 200, sold=LQD)
    market.place("taker", 250, 600, eons=5)
    market.match()
    market.turn()
    assert market.start("taker", LQD) == 600


def test_an_order_is_delivered_in_its_credit_wallets_own_set(market: Market) -> None:
    market.trader("t", eth=300)
    market.trader("u", lqd=900)
    market.place("u", 900, 300, sold=LQD)
    order = market.place("t", 300, 600)
    market.match()
    market.finalise(order)
    market.pay("t", "operator", 900, token=LQD)
    leaf = market.own["t", LQD, 1].leaves[0]
    market.turn()
    with market.world.begin() as session:
        proof = receipt_proofs(session, [order])[order]
    committed = market.bank.wallet("t", LQD)
    with market.world.begin() as session:
        allotment = allotment_proof(session, committed.id, 2)
        assert allotment is not None
        state = session.get(ActiveState, allotment.active_state_id)
        assert state is not None
        root = bytes(state.tx_set_hash)
    assert (proof.index, proof.values) == (0, None)
    assert plain.verify_path(leaf, proof.index, proof.hashes, root)
