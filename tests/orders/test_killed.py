"""A process that is killed while it matches: the next one goes on, no fill is lost or repeated."""

from __future__ import annotations

import multiprocessing
import time

from sqlalchemy import func, select

from ledger.matching.matcher import Matcher, MatchingPolicy
from models import Matching
from models.engine import open_engine, open_sessions
from tests.ledger.world import LQD, make_rules
from tests.orders.market import Market

ORDERS = 16
KILLS = 2


def match_one_by_one(database_url: str) -> None:
    """Match until nothing is left, a transaction for each taker: the process that is killed."""
    sessions = open_sessions(open_engine(database_url, application_name="matcher"))
    Matcher(sessions, make_rules(), MatchingPolicy(delay_s=0.0, batch=1)).run_until_idle()


def trades(market: Market) -> int:
    with market.world.begin() as session:
        return session.scalar(select(func.count()).select_from(Matching)) or 0


def kill_while_matching(market: Market, database_url: str) -> bool:
    """Start a matcher and kill it when it has traded; tell whether it was at work then."""
    before = trades(market)
    process = multiprocessing.get_context("fork").Process(
        target=match_one_by_one, args=(database_url,)
    )
    process.start()
    deadline = time.monotonic() + 30
    while trades(market) < before + 2 and process.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    process.join(10)
    return process.exitcode == -9


def test_a_matcher_killed_at_work_loses_and_repeats_no_fill(
    market: Market, database_url: str
) -> None:
    for number in range(ORDERS):
        market.trader(f"maker{number}", lqd=100)
        market.trader(f"taker{number}", eth=100)
        market.place(f"maker{number}", 100, 100, sold=LQD)
    orders = [market.place(f"taker{number}", 100, 100) for number in range(ORDERS)]
    killed = [kill_while_matching(market, database_url) for _ in range(KILLS)]
    assert all(killed), "the orders were matched before the kill: give it more of them"
    market.match()
    assert trades(market) == ORDERS
    assert {market.matched(order) for order in orders} == {(100, 100)}
    assert {market.row(order).complete for order in orders} == {True}
    assert market.bank.faults() == []
