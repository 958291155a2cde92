"""One process matches at a time, soon after an order was placed, and another takes over."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ledger.matching.leader import MatchingLeader
from ledger.matching.matcher import MatchingPolicy
from tests.ledger.world import LQD
from tests.orders.market import Market


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@contextmanager
def leading(market: Market) -> Iterator[MatchingLeader]:
    policy = MatchingPolicy(delay_s=0.2)
    leader = MatchingLeader(market.world.engine, lambda _session: market.world.rules, policy)
    thread = threading.Thread(target=leader.run)
    thread.start()
    try:
        yield leader
    finally:
        leader.stop()
        thread.join(10)
    assert not thread.is_alive()


def test_an_order_is_matched_soon_after_its_answer_and_not_before(market: Market) -> None:
    market.trader("maker", lqd=100)
    market.trader("taker", eth=100)
    with leading(market) as leader:
        until(lambda: leader.is_leading)
        market.place("maker", 100, 100, sold=LQD)
        order = market.place("taker", 100, 100)
        placed = time.monotonic()
        until(lambda: market.row(order).complete)
        assert 0.15 < time.monotonic() - placed < 1.5


def test_another_process_takes_over_when_the_leader_ends(market: Market) -> None:
    market.trader("maker", lqd=100)
    market.trader("taker", eth=100)
    with leading(market) as first:
        until(lambda: first.is_leading)
        with leading(market) as second:
            time.sleep(0.3)
            assert not second.is_leading
            first.stop()
            until(lambda: second.is_leading)
            market.place("maker", 100, 100, sold=LQD)
            order = market.place("taker", 100, 100)
            until(lambda: market.row(order).complete)


def test_a_leader_that_loses_its_connection_stands_again(market: Market) -> None:
    market.trader("maker", lqd=100)
    market.trader("taker", eth=100)
    with leading(market) as leader:
        until(lambda: leader.is_leading)
        with market.world.engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND classid = 77 AND objid = 1096041288"
            )
        market.place("maker", 100, 100, sold=LQD)
        order = market.place("taker", 100, 100)
        until(lambda: market.row(order).complete)
