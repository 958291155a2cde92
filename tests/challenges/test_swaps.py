"""Swap challenges of a real operator: every fate of an order, in one eon and over several."""

from collections.abc import Callable

import pytest

from duties.challenges import Trial
from ledger.challenges.swaps import CLOSED, STARTING
from protocol.editions import ContractEdition
from tests.challenges.challenging import Challengers
from tests.challenges.live import LiveWorld
from tests.ledger.world import ETH, LQD
from tests.orders.market import Market

PLACED = STARTING.format(0)
Judge = Callable[[int], Trial]


@pytest.fixture
def trading(market: Market) -> Market:
    """t has 400 ETH; u has 200 LQD and v 600, from eon 2 on, which has begun."""
    market.trader("t", eth=400)
    market.trader("u", lqd=200)
    market.trader("v", lqd=600)
    market.turn()
    return market


@pytest.fixture
def judge(trading: Market, world: LiveWorld, challengers: Challengers) -> Judge:
    """Turn the eon, challenge what became of t's order in it, and have that answered."""

    def turn_and_challenge(order: int) -> Trial:
        trading.turn()
        world.move_to_challenges()
        before = trading.has("t", ETH), trading.has("t", LQD)
        challengers.dispute_order("t", trading.row(order, world.eon - 1), ETH, LQD)
        assert world.live() == 1
        row = world.challenges()[-1]
        assert (row.kind, row.delta_highest_spendings) == ("swap", 400)
        trial = world.answer(row.id)
        world.settle()
        assert world.live() == 0
        assert world.challenges()[-1].status == "answered"
        assert (trading.has("t", ETH), trading.has("t", LQD)) == before
        return trial

    return turn_and_challenge


def accepted(trial: Trial) -> str:
    return trial.tried[-1].variant


def test_an_order_that_stays_open_is_answered_in_each_of_its_eons(
    trading: Market, judge: Judge
) -> None:
    order = trading.place("t", 400, 800, eons=4)
    first = accepted(judge(order))
    assert first == STARTING.format(trading.start("t", LQD)) == PLACED
    assert [accepted(judge(order)) for _ in range(2)] == [PLACED, PLACED]


@pytest.mark.parametrize("edition", ContractEdition)
def test_an_order_filled_bit_by_bit_is_answered_from_its_start_at_placement(
    trading: Market, judge: Judge
) -> None:
    order = trading.place("t", 400, 800, eons=4)
    trading.place("u", 200, 100, sold=LQD)
    trading.match()
    assert trading.matched(order) == (100, 200)
    assert accepted(judge(order)) == PLACED
    assert (trading.start("t", ETH), trading.start("t", LQD)) == (300, 200)
    assert accepted(judge(order)) == PLACED
    # Filled to its end in a later eon: the fulfilment could not be borne out, nobody signed it.
    trading.place("v", 600, 300, sold=LQD)
    trading.match()
    assert trading.row(order).complete
    assert accepted(judge(order)) == PLACED
    assert (trading.start("t", ETH), trading.start("t", LQD)) == (0, 800)


def test_a_fulfilled_order_is_answered_as_closed(trading: Market, judge: Judge) -> None:
    trading.place("v", 600, 300, sold=LQD)
    trading.place("u", 200, 100, sold=LQD)
    trading.match()
    order = trading.place("t", 400, 800, eons=2)
    trading.match()
    assert trading.row(order).complete
    assert accepted(judge(order)) == CLOSED


@pytest.mark.parametrize("edition", ContractEdition)
def test_a_finalised_order_is_answered_as_closed_whatever_follows_it(
    trading: Market, judge: Judge
) -> None:
    trading.place("v", 600, 300, sold=LQD)
    trading.place("u", 200, 100, sold=LQD)
    trading.match()
    order = trading.place("t", 400, 800)
    trading.match()
    trading.finalise(order)
    trading.pay("t", "operator", 60, token=LQD)
    assert accepted(judge(order)) == CLOSED


def test_a_cancelled_order_is_answered_as_closed_in_the_eon_of_its_cancellation(
    trading: Market, judge: Judge
) -> None:
    order = trading.place("t", 400, 800, eons=4)
    trading.place("u", 200, 100, sold=LQD)
    trading.match()
    assert accepted(judge(order)) == PLACED
    trading.freeze(order)
    trading.cancel(order)
    trading.pay("t", "operator", 10, token=ETH)
    assert accepted(judge(order)) == CLOSED


def test_a_price_above_the_limit_is_answered_on_our_contract(trading: Market, judge: Judge) -> None:
    """The resting order asked for less: t receives more than its limit while it stays open."""
    trading.place("v", 600, 100, sold=LQD)
    trading.match()
    order = trading.place("t", 400, 800, eons=2)
    trading.match()
    assert trading.matched(order) == (100, 600)
    assert accepted(judge(order)) == PLACED


@pytest.mark.parametrize("edition", [ContractEdition.PUBLISHED])
def test_a_price_above_the_limit_is_held_back_on_the_published_contract(
    trading: Market, judge: Judge
) -> None:
    trading.place("v", 600, 100, sold=LQD)
    trading.match()
    order = trading.place("t", 400, 800, eons=2)
    trading.match()
    assert trading.matched(order) == (100, 600)
    assert accepted(judge(order)) == PLACED
    assert trading.row(order, 2).recipient_held_back > 0


@pytest.mark.only_on(ContractEdition.HARDENED)
def test_the_state_of_a_wallet_with_only_an_open_order_is_answered(
    trading: Market, world: LiveWorld, challengers: Challengers
) -> None:
    """Totals of 0 and a set: our contract takes the signed state for what it is."""
    trading.place("t", 400, 800, eons=2)
    trading.turn()
    world.move_to_challenges()
    for token in (LQD, ETH):
        challengers.dispute_balance("t", token)
    world.answer_all()
    assert world.live() == 0
