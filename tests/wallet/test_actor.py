"""The trading actor of simulations, at random over eons: both tokens are conserved."""

from __future__ import annotations

import random

from simulation.trading import Habits, TradingActor
from tests.ledger.world import ETH, LQD
from tests.wallet.conftest import Town

FUNDS = 10**6


async def test_actors_trade_through_eons_and_bring_everything_home(town: Town) -> None:
    dice = random.Random(7)
    habits = Habits(place=0.9, cancel=0.3, smallest=1000, largest=FUNDS // 2, most_eons=3)
    desks = [await town.desk("left", eth=FUNDS), await town.desk("right", lqd=FUNDS)]
    actors = [TradingActor(desk, (ETH, LQD), dice, habits) for desk in desks]
    for _ in range(3):
        for _ in range(3):
            for actor in actors:
                await actor.step()
            town.market.match()
        town.market.turn()
    for _ in range(4):
        home = [await actor.come_home() for actor in actors]
        if all(home):
            break
        town.market.turn()
    acts = sum((actor.acts for actor in actors), start=actors[0].acts.__class__())
    assert min(acts[name] for name in ("placed", "traded", "carried over", "cancelled")) > 0
    held = [await desk.totals() for desk in desks]
    assert {token: sum(one[token] for one in held) for token in (ETH, LQD)} == {
        ETH: FUNDS,
        LQD: FUNDS,
    }
