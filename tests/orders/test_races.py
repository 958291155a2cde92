"""Traders, matchers and the turn of the eon at the same time: one of them wins, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from ledger.refusals import Refusal
from tests.ledger.world import ETH, LQD
from tests.orders.market import Market


def answer_of(action: Callable[[], Any]) -> Any:
    """What an action returns, or its refusal's code."""
    try:
        return action()
    except Refusal as refusal:
        return refusal.code


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run actions in threads of their own; return what each returned, or its refusal's code."""
    results: list[Any] = [None] * len(actions)
    barrier = threading.Barrier(len(actions))

    def run(number: int) -> None:
        barrier.wait()
        results[number] = answer_of(actions[number])

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


def ended_by_the_turn_or_its_owner(market: Market, order: int, answer: Any) -> None:
    """What was accepted in time is signed for the old eon; what came too late, the turn ended."""
    first, second = market.rows(order)
    assert first.processed and second.processed, answer
    signed = {
        first.sender_cancellation_active_state_id,
        first.recipient_finalization_active_state_id,
    }
    assert (signed != {None}) == isinstance(answer, dict), answer


def freeze_and_cancel(market: Market, order: int, *, is_frozen: bool) -> None:
    """Take an order out of the new eon, whether it was frozen before the turn or was not."""
    copy = market.row(order)
    assert copy.cancelled == is_frozen
    if not is_frozen:
        market.freeze(order)
    if copy.appended:
        market.cancel(order)


@pytest.mark.parametrize("head_start", [1, 4])
def test_an_order_ends_in_the_old_eon_or_in_the_new_one_and_never_in_both(
    market: Market, head_start: int
) -> None:
    """Freezing, cancelling and finalising run against the turn and the closing of their eon."""
    for number in range(3):
        market.trader(f"frozen{number}", eth=100)
        market.trader(f"buyer{number}", eth=100)
        market.trader(f"seller{number}", lqd=100)
        market.trader(f"open{number}", eth=100)
    to_cancel = [market.place(f"frozen{n}", 100, 300, eons=2) for n in range(3)]
    to_freeze = [market.place(f"open{n}", 100, 300, eons=2) for n in range(3)]
    fulfilled = [market.place(f"buyer{n}", 100, 100, eons=2) for n in range(3)]
    for n in range(3):
        market.place(f"seller{n}", 100, 100, sold=LQD, eons=2)
    market.match()
    for order in to_cancel:
        market.freeze(order)

    ended = threading.Semaphore(0)

    def end_orders(orders: list[int], end: Callable[[int], Any]) -> list[Any]:
        answers = []
        for order in orders:
            answers.append(answer_of(partial(end, order)))
            ended.release()
        return answers

    def turn() -> None:
        for _ in range(head_start):
            assert ended.acquire(timeout=60)
        market.bank.turn()

    _, cancelled, finalised, frozen = at_once(
        turn,
        lambda: end_orders(to_cancel, market.cancel),
        lambda: end_orders(fulfilled, market.finalise),
        lambda: end_orders(to_freeze, market.freeze),
    )
    assert any(isinstance(answer, dict) for answer in [*cancelled, *finalised, *frozen])
    market.announce()
    market.match()
    for order, answer in zip(to_cancel, cancelled, strict=True):
        ended_by_the_turn_or_its_owner(market, order, answer)
    for order, answer in zip(fulfilled, finalised, strict=True):
        ended_by_the_turn_or_its_owner(market, order, answer)
    for order, answer in zip(to_freeze, frozen, strict=True):
        freeze_and_cancel(market, order, is_frozen=isinstance(answer, dict))
    for name in ("frozen", "open"):
        assert [market.has(f"{name}{number}", ETH) for number in range(3)] == [100] * 3
    assert [market.has(f"buyer{number}", LQD) for number in range(3)] == [100] * 3
