"""Random trading over several eons: whatever traders do, both tokens are conserved."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from protocol.address import Address
from protocol.editions import ContractEdition
from tests.ledger.world import ETH, LQD, make_rules
from tests.orders.market import Market

TRADERS = 4
FUNDS = 10_000
batches = count()

steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("place"),
            st.integers(0, TRADERS - 1),
            st.integers(1, 3 * FUNDS),
            st.integers(1, 3),
            st.booleans(),
        ),
        st.tuples(st.just("match")),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("freeze"), st.integers(0, 20)),
        st.tuples(st.just("finalise"), st.integers(0, 20)),
        st.tuples(st.just("withdraw"), st.integers(0, TRADERS - 1), st.integers(1, FUNDS)),
        st.tuples(st.just("harvest"), st.integers(0, TRADERS - 1), st.integers(0, TRADERS - 1)),
        st.tuples(st.just("gift"), st.integers(0, TRADERS - 1)),
        st.tuples(st.just("turn")),
    ),
    min_size=8,
    max_size=25,
)


class Floor:
    """Traders of one example: even ones begin with ETH, odd ones with LQD."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.names = [f"h{next(batches)}" for _ in range(TRADERS)]
        self.orders: list[int] = []
        self.total = {ETH: 0, LQD: 0}
        for number, name in enumerate(self.names):
            token = LQD if number % 2 else ETH
            market.trader(name, **{"lqd" if number % 2 else "eth": FUNDS + number})
            self.total[token] += FUNDS + number

    def place(self, trader: int, wanted: int, eons: int, sells: bool) -> None:
        name, sold = self.names[trader], self.richer(trader)
        amount = self.market.has(name, sold)
        if amount > 0:
            self.orders.append(
                self.market.place(name, amount, wanted, sold=sold, eons=eons, sells=sells)
            )

    def richer(self, trader: int) -> Address:
        return max((ETH, LQD), key=lambda token: self.market.has(self.names[trader], token))

    def match(self) -> None:
        self.market.match()

    def freeze(self, number: int) -> None:
        if self.orders:
            self.market.freeze(self.orders[number % len(self.orders)])

    def cancel(self, number: int) -> None:
        if not self.orders:
            return
        order = self.orders[number % len(self.orders)]
        if self.is_alive(order):
            if not self.market.row(order).cancelled:
                self.market.freeze(order)
            self.market.cancel(order)

    def finalise(self, number: int) -> None:
        order = self.orders[number % len(self.orders)] if self.orders else None
        if order is not None and self.is_alive(order) and self.market.row(order).complete:
            self.market.finalise(order)

    def is_alive(self, order: int) -> bool:
        return any(row.eon == self.market.world.eon for row in self.market.rows(order))

    def withdraw(self, trader: int, amount: int) -> None:
        name, token = self.names[trader], self.richer(trader)
        possible = min(amount, self.market.bank.balances(name, token).withdrawable)
        if possible > 0:
            self.market.world.request_withdrawal(name, possible, token)
            self.total[token] -= possible

    def harvest(self, payer: int, payee: int) -> None:
        token = self.richer(payer)
        name, to = self.names[payer], self.names[payee]
        if name != to:
            self.market.pay(name, to, self.market.has(name, token), token=token)

    def gift(self, trader: int) -> None:
        self.market.world.deposit(self.names[trader], 7, ETH)
        self.total[ETH] += 7

    def turn(self) -> None:
        self.market.turn()

    def act(self, step: tuple[Any, ...]) -> None:
        try:
            getattr(self, step[0])(*step[1:])
        except Refusal as refusal:
            # The ledger may refuse anything, by a name of the wire: nothing has happened then.
            assert refusal.code.isupper()

    def all_of(self, token: Address) -> int:
        return sum(self.market.start(name, token) for name in self.names)


@pytest.fixture(params=[ContractEdition.HARDENED, ContractEdition.PUBLISHED])
def rules(request: pytest.FixtureRequest) -> LedgerRules:
    return make_rules(edition=request.param)


@pytest.fixture
def floor_market(market: Market) -> Iterator[Market]:
    yield market
    assert market.bank.faults() == []


@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(actions=steps)
def test_random_trading_over_eons_conserves_both_tokens(
    floor_market: Market, actions: list[tuple[Any, ...]]
) -> None:
    floor = Floor(floor_market)
    for step in actions:
        floor.act(step)
    # After the last eon of the longest order, nothing is reserved or held back any more.
    for _ in range(5):
        floor_market.turn()
    for token in (ETH, LQD):
        assert floor.all_of(token) == floor.total[token]
        for name in floor.names:
            balances = floor_market.bank.balances(name, token)
            assert (balances.reserved, balances.loosely_available) == (0, balances.allotment)
    assert floor_market.bank.faults() == []
