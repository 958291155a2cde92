"""Random trading over several eons: whatever traders do, both tokens are conserved, step by step.

Two matchers take turns, each with what it remembers; some batches are lost before their commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.orm import Session, sessionmaker

from ledger.matching.matcher import Matcher, MatchingPolicy
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from protocol.address import Address
from protocol.editions import ContractEdition
from tests.ledger.world import ETH, LQD, key, make_rules
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
        st.tuples(st.just("match"), st.integers(0, 1)),
        st.tuples(st.just("crash"), st.integers(0, 1)),
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


# The accounts of the current eon, and what they cannot show: the change of finalised buy orders,
# and what the last checkpoint held back.
HELD = text("""
SELECT t.address, sum(
    COALESCE(b.right_bound - b.left_bound, 0)
    + COALESCE(a.deposited + a.receipt_total + a.gained - a.spent - a.withdrawn, 0))
FROM wallet w JOIN token t ON t.id = w.token_id
LEFT JOIN exclusive_balance_allotment b ON b.wallet_id = w.id AND b.eon = :eon
LEFT JOIN wallet_eon a ON a.wallet_id = w.id AND a.eon = :eon
WHERE w.address = ANY(:addresses) GROUP BY t.address
""")
UNSEEN = text("""
SELECT t.address, sum(amount) FROM (
    SELECT sender_id AS wallet_id, amount - matched_out AS amount FROM transfer
    WHERE swap AND eon = :eon AND recipient_finalization_active_state_id IS NOT NULL AND appended
      AND NOT voided
    UNION ALL SELECT sender_id, sender_held_back FROM transfer WHERE swap AND eon = :eon - 1
    UNION ALL SELECT recipient_id, recipient_held_back FROM transfer WHERE swap AND eon = :eon - 1
) AS parts JOIN wallet w ON w.id = wallet_id JOIN token t ON t.id = w.token_id
WHERE w.address = ANY(:addresses) GROUP BY t.address
""")


class Crash(Exception):
    """A process that dies right before it commits."""


def die(_session: Session) -> None:
    raise Crash


class Floor:
    """Traders of one example: even ones begin with ETH, odd ones with LQD."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.names = [f"h{next(batches)}" for _ in range(TRADERS)]
        self.matchers = [market.new_matcher(), market.new_matcher()]
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

    def match(self, which: int) -> None:
        self.matchers[which].run_until_idle()

    def crash(self, which: int) -> None:
        """Lose a batch; whoever is elected next begins from the ledger."""
        dying = sessionmaker(self.market.world.engine)
        event.listen(dying, "before_commit", die)
        doomed = Matcher(dying, self.market.world.rules, MatchingPolicy(delay_s=0.0, batch=8))
        with pytest.raises(Crash):
            doomed.step()
        self.matchers[which] = self.market.new_matcher()

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

    def require_conserved(self) -> None:
        """Every unit is some trader's, or known to be on its way to one."""
        arguments = {
            "eon": self.market.world.eon,
            "addresses": [key(name).address for name in self.names],
        }
        found = dict.fromkeys((ETH, LQD), 0)
        with self.market.world.begin() as session:
            for query in (HELD, UNSEEN):
                for token, amount in session.execute(query, arguments):
                    found[bytes(token)] += amount
        assert found == self.total

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
    max_examples=10,
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
        floor.require_conserved()
    # After the last eon of the longest order, nothing is reserved or held back any more.
    for _ in range(5):
        floor_market.turn()
    for token in (ETH, LQD):
        assert floor.all_of(token) == floor.total[token]
        for name in floor.names:
            balances = floor_market.bank.balances(name, token)
            assert (balances.reserved, balances.loosely_available) == (0, balances.allotment)
    assert floor_market.bank.faults() == []
