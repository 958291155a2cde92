"""Our wallet client trades: it signs all copies, follows them through eons and believes nothing."""

from __future__ import annotations

import pytest

from protocol.editions import ContractEdition
from tests.ledger.world import ETH, LQD
from tests.wallet.conftest import Town
from wallet.errors import NotPossible, NotYet, OperatorRefused
from wallet.order_signing import Wish
from wallet.trader import Fate, Trader

SOON_S = 20
both_editions = pytest.mark.parametrize("rules", ContractEdition, indirect=True)


async def fate_of(trader: Trader) -> Fate:
    await trader.sync()
    return trader.fate


async def test_orders_live_in_trading_addresses_and_their_proceeds_come_home(town: Town) -> None:
    desk = await town.desk("seller", eth=1000)
    buyer = await town.trader("buyer", lqd=900)
    await buyer.place(LQD, ETH, Wish(900, 300))
    order = await desk.place(ETH, LQD, Wish(300, 900))
    idle = await desk.place(ETH, LQD, Wish(200, 9000))
    assert order.keys.address == desk.owner.trading_keys()[0].address != idle.keys.address
    with pytest.raises(NotPossible):
        await order.wallet(ETH).pay(desk.owner.address, 1)
    town.market.match()
    assert await order.until([Fate.FULFILLED], timeout_s=SOON_S) is Fate.FULFILLED
    assert await desk.settle(order) is Fate.FINALISED
    await desk.cancel(idle)
    assert idle.fate is Fate.CANCELLED
    held = {token: (await wallet.sync()).available for token, wallet in desk.wallets.items()}
    assert held == {ETH: 700, LQD: 900}
    again = await desk.place(LQD, ETH, Wish(900, 100))
    assert again is order
    assert await desk.totals() == {ETH: 700, LQD: 900}


@both_editions
async def test_an_order_is_followed_through_eons_and_every_allotment_checked(town: Town) -> None:
    trader = await town.trader("trader", eth=600)
    makers = [await town.trader(f"maker{n}", lqd=500) for n in range(3)]
    town.market.turn()
    await trader.place(ETH, LQD, Wish(600, 1500, eons=5))
    for number, maker in enumerate(makers):
        await maker.place(LQD, ETH, Wish(500, 200, eons=1))
        town.market.match()
        assert await fate_of(maker) is Fate.FULFILLED
        assert await fate_of(trader) is (Fate.FULFILLED if number == 2 else Fate.OPEN)
        assert trader.matched.sold == 200 * (number + 1)
        if number < 2:
            town.market.turn()
            assert await fate_of(trader) is Fate.OPEN
            assert trader.row is not None and trader.row.eon == number + 3
    # A client that remembers nothing comes to the same from what it is told now.
    stranger = Trader(town.home, trader.keys)
    stranger.placed = trader.placed
    for token in (ETH, LQD):
        stranger.wallet(token).accept_registration(trader.wallet(token).registration)
    assert await fate_of(stranger) is Fate.FULFILLED
    await trader.finalise()
    town.market.turn()
    assert (await town.holdings(trader, *makers)) == [(0, 1500)] + [(200, 0)] * 3


async def test_a_copy_waits_for_the_checkpoint_and_the_turn_holds_up_its_end(town: Town) -> None:
    trader = await town.trader("trader", eth=300)
    await trader.place(ETH, LQD, Wish(300, 900, eons=2))
    town.world.move_to_eon(2)
    assert await fate_of(trader) is Fate.WAITING
    for action in (trader.freeze, trader.cancel, trader.finalise):
        with pytest.raises(NotYet):
            await action()
    other = await town.trader("other", eth=10)
    town.market.bank.checkpoint(2)
    town.market.announce()
    assert await fate_of(trader) is Fate.WAITING
    town.market.match()
    assert await fate_of(trader) is Fate.OPEN
    town.world.move_to_eon(3)
    with pytest.raises(NotYet):
        await other.place(ETH, LQD, Wish(10, 10))
    assert await fate_of(trader) is Fate.ENDED
    town.market.bank.checkpoint(3)
    assert await town.holdings(trader, other) == [(300, 0), (10, 0)]


@both_editions
async def test_a_partly_filled_order_of_an_earlier_eon_is_cancelled(town: Town) -> None:
    trader = await town.trader("trader", eth=300)
    maker = await town.trader("maker", lqd=300)
    town.market.turn()
    await maker.place(LQD, ETH, Wish(300, 100))
    await trader.place(ETH, LQD, Wish(300, 600, eons=4))
    town.market.match()
    assert await fate_of(trader) is Fate.OPEN
    town.market.turn()
    # On the published contract the improvement on the limit price is held back meanwhile.
    matched = await trader.freeze()
    assert (matched.sold, matched.bought) == (100, 300)
    ended = await trader.cancel()
    assert ended.debit_cancellation is not None and trader.fate is Fate.CANCELLED
    await trader.wallet(ETH).pay(maker.keys.address, 150)
    town.market.turn()
    assert await town.holdings(trader, maker) == [(50, 300), (250, 0)]


async def test_the_change_of_a_finalised_buy_order_is_in_the_next_allotment(town: Town) -> None:
    maker = await town.trader("maker", lqd=900)
    taker = await town.trader("taker", eth=100)
    town.market.turn()
    await maker.place(LQD, ETH, Wish(900, 300))
    await taker.place(ETH, LQD, Wish(100, 240, sells=False))
    town.market.match()
    assert await fate_of(taker) is Fate.FULFILLED
    await taker.finalise()
    assert (await town.holdings(taker))[0] == (0, 240)
    town.market.turn()
    assert await town.holdings(taker, maker) == [(20, 240), (80, 660)]


async def test_a_fulfilled_order_that_nobody_finalises_frees_its_wallets_in_the_next_eon(
    town: Town,
) -> None:
    maker = await town.trader("maker", lqd=900)
    taker = await town.trader("taker", eth=300)
    town.market.turn()
    await maker.place(LQD, ETH, Wish(900, 300, eons=3))
    await taker.place(ETH, LQD, Wish(300, 900, eons=3))
    town.market.match()
    town.market.turn()
    assert [await fate_of(trader) for trader in (maker, taker)] == [Fate.ENDED] * 2
    [paid] = await taker.harvest(maker.keys.address)
    assert paid.amount == 900
    assert await town.holdings(taker, maker) == [(0, 0), (300, 900)]


async def test_a_frozen_order_ends_with_its_eon(town: Town) -> None:
    trader = await town.trader("trader", eth=300)
    await trader.place(ETH, LQD, Wish(300, 900, eons=3))
    await trader.freeze()
    assert trader.fate is Fate.FROZEN
    town.market.turn()
    assert await fate_of(trader) is Fate.ENDED
    await trader.place(ETH, LQD, Wish(300, 900))
    assert await town.holdings(trader) == [(300, 0)]


async def test_a_gift_ends_an_order_and_stays_with_its_wallet(town: Town) -> None:
    trader = await town.trader("trader", eth=300)
    await trader.place(ETH, LQD, Wish(300, 900, eons=3))
    town.give(trader.keys.address, 7, ETH)
    town.market.turn()
    assert await fate_of(trader) is Fate.ENDED
    assert await town.holdings(trader) == [(307, 0)]


async def test_what_cannot_be_ordered_is_not_signed(town: Town) -> None:
    trader = await town.trader("trader", eth=300, lqd=1)
    for wish in (Wish(299, 1), Wish(301, 1), Wish(0, 1), Wish(300, 2**128), Wish(300, 1, eons=21)):
        with pytest.raises(NotPossible):
            await trader.place(ETH, LQD, wish)
    with pytest.raises(NotPossible, match="fills an empty one"):
        await trader.place(ETH, LQD, Wish(300, 900))
    await trader.wallet(LQD).pay(town.home.chain.operator, 1)
    await trader.place(ETH, LQD, Wish(300, 900))
    with pytest.raises(NotPossible, match="has an order"):
        await trader.place(ETH, LQD, Wish(300, 900))
    with pytest.raises(NotPossible, match="markers"):
        await trader.wallet(ETH).request_withdrawal(1)


async def test_book_and_own_orders_are_listed(town: Town) -> None:
    trader = await town.trader("trader", eth=300)
    await trader.place(ETH, LQD, Wish(300, 900, eons=2))
    api = town.home.api
    book = await api.order_book(ETH, LQD)
    assert [(line.remaining_out, line.remaining_in) for line in book.sells] == [(300, 900)]
    assert (await api.order_book(LQD, ETH)).buys == book.sells
    listed = await api.orders_of(trader.keys.address)
    assert [(row.eon, row.amount, row.is_order) for row in listed] == [
        (1, 300, True),
        (2, 300, True),
    ]
    with pytest.raises(OperatorRefused) as refused:
        await api.freeze_order(listed[0].id, {"freezing_signature": {"value": "00" * 65}})
    assert refused.value.code == "INVALID_FREEZING_SIGNATURE"
