"""Traders, matchers and the turn of the eon at the same time: one of them wins, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ledger.refusals import Refusal
from tests.ledger.world import ETH, LQD
from tests.orders.market import Market


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run actions in threads of their own; return what each returned, or its refusal's code."""
    results: list[Any] = [None] * len(actions)
    barrier = threading.Barrier(len(actions))

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = actions[number]()
        except Refusal as refusal:
            results[number] = refusal.code

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results


def test_an_order_is_frozen_before_or_after_its_trade_and_never_in_it(market: Market) -> None:
    for number in range(6):
        market.trader(f"m{number}", lqd=100)
        market.trader(f"t{number}", eth=100)
    resting = [market.place(f"m{number}", 100, 100, sold=LQD) for number in range(6)]
    market.match()
    for number in range(6):
        market.place(f"t{number}", 100, 100)
    matcher = market.new_matcher(batch=1)
    freezing = [lambda order=order: market.freeze(order) for order in resting[:3]]
    answers = at_once(matcher.run_until_idle, *freezing)
    for order, answer in zip(resting[:3], answers[1:], strict=True):
        out, _ = market.matched(order)
        if answer == "SWAP_ALREADY_FULFILLED":
            assert out == 100
        else:
            # What the answer says does not move any more: the trader signs its end on it.
            assert answer["matched_amounts"]["matched_out"] == str(out)
            market.cancel(order)


def test_two_cancellations_and_two_finalisations_end_an_order_once(market: Market) -> None:
    market.trader("a", eth=100)
    market.trader("b", lqd=100)
    market.trader("c", eth=50)
    order = market.place("a", 100, 100)
    market.place("b", 100, 100, sold=LQD)
    cancelled = market.place("c", 50, 100)
    market.match()
    market.freeze(cancelled)
    answers = at_once(
        lambda: market.finalise(order),
        lambda: market.finalise(order),
        lambda: market.cancel(cancelled),
        lambda: market.cancel(cancelled),
    )
    assert sum(isinstance(answer, dict) for answer in answers[:2]) == 1
    assert sum(isinstance(answer, dict) for answer in answers[2:]) == 1
    assert {answer for answer in answers if isinstance(answer, str)} == {"SWAP_ALREADY_CLOSED"}


def test_one_of_two_orders_of_the_same_money_is_placed(market: Market) -> None:
    market.trader("a", eth=100)
    requests = [market.request("a", 100, wanted) for wanted in (100, 200)]
    answers = at_once(*(lambda one=one: market.submit(one) for one in requests))
    assert answers.count("DEBIT_WALLET_CANNOT_ADD_TRANSACTION") == 1


def test_an_order_and_a_payment_of_the_same_money_do_not_both_go_through(market: Market) -> None:
    market.trader("a", eth=100)
    request = market.request("a", 100, 100)
    answers = at_once(
        lambda: market.submit(request),
        lambda: market.pay("a", "operator", 100, token=ETH),
    )
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert market.has("a", ETH) in (0, 100)


def test_matching_stops_at_the_turn_whichever_comes_first(market: Market) -> None:
    for number in range(6):
        market.trader(f"m{number}", lqd=100)
        market.trader(f"t{number}", eth=100)
        market.place(f"m{number}", 100, 100, sold=LQD, eons=2)
    orders = [market.place(f"t{number}", 100, 100, eons=2) for number in range(6)]
    matcher = market.new_matcher(batch=1)
    at_once(matcher.run_until_idle, lambda: market.world.move_to_eon(2))
    before = [market.row(order, eon=1).matched_out for order in orders]
    matcher.run_until_idle()
    assert [market.row(order, eon=1).matched_out for order in orders] == before
    market.bank.checkpoint(2)
    market.announce()
    market.match()
    # Whoever had not had its turn as taker has it in the new eon.
    for order, sold in zip(orders, before, strict=True):
        row = market.row(order, eon=1 if sold else 2)
        assert (row.complete, row.matched_out) == (True, 100)
