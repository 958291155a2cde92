"""In which order a process tells what was committed: checkpoints before the orders of their eon."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.streams.hub import Hub, Push
from api.streams.outbox import Told, read_since
from api.streams.teller import WALLETS_AT_ONCE, Teller
from models import Notification
from models.engine import open_engine, open_sessions
from tests.api.test_orders import streams_of
from tests.orders.market import Market


class Everybody:
    """Somebody who listens; what is told is looked at elsewhere."""

    def push(self, text: str) -> None:
        raise AssertionError(text)


@pytest.fixture
def hub(market: Market) -> Hub:
    """More listeners than have their turn at once, those with an order last."""
    hub = Hub()
    for number in range(WALLETS_AT_ONCE + 5):
        market.world.admit(f"idle{number}")
        hub.subscribe(streams_of(f"idle{number}")[0].lower(), Everybody())
    for name in ("first", "second"):
        market.trader(name, eth=100)
        market.place(name, 100, 900, eons=2)
        for stream in streams_of(name):
            hub.subscribe(stream.lower(), Everybody())
    return hub


def told(session: Session, after: int) -> list[Told]:
    first = session.scalar(select(Notification.time).order_by(Notification.id).limit(1))
    assert first is not None
    return read_since(session, first, after)


def last_of(market: Market) -> int:
    with market.world.begin() as session:
        return told(session, 0)[-1].id


def turn(market: Market) -> list[Told]:
    """Announce a checkpoint and confirm the orders: what one wake-up may bring."""
    seen = last_of(market)
    market.turn()
    with market.world.begin() as session:
        return told(session, seen)


def in_order(pushes: list[Push]) -> list[tuple[str, str]]:
    names = ("CHECKPOINT_CREATED", "SWAP_CONFIRMATION")
    return [(push.stream, name) for push in pushes for name in names if f'"{name}"' in push.text]


def test_a_wallet_hears_of_its_checkpoint_before_its_order_and_once(
    market: Market, hub: Hub
) -> None:
    rows = turn(market)
    assert {row.event for row in rows} == {
        "CHECKPOINT_CREATED",
        "SWAP_CONFIRMATION",
        "INCOMING_SWAP",
    }
    teller = Teller(hub)
    with market.world.begin() as session:
        early = in_order(teller.render(session, rows))
        later: list[tuple[str, str]] = []
        while teller.has_work:
            later += in_order(teller.next_checkpoints(session))
    # Every trader's wallet had its checkpoint and then its order; all others wait their turns.
    traders = {stream.lower() for name in ("first", "second") for stream in streams_of(name)}
    assert sorted(early[:4]) == sorted((stream, "CHECKPOINT_CREATED") for stream in traders)
    assert sorted(early[4:]) == sorted((stream, "SWAP_CONFIRMATION") for stream in traders)
    assert len(later) == WALLETS_AT_ONCE + 5 and not traders & {stream for stream, _ in later}


def test_orders_that_are_confirmed_later_do_not_overtake_a_checkpoint_that_is_being_told(
    market: Market, hub: Hub
) -> None:
    rows = turn(market)
    checkpoints = [row for row in rows if row.event == "CHECKPOINT_CREATED"]
    teller = Teller(hub)
    with market.world.begin() as session:
        assert teller.render(session, checkpoints) == []
        said = in_order(teller.next_checkpoints(session))
        said += in_order(teller.render(session, rows[len(checkpoints) :]))
    for stream in streams_of("second"):
        events = [event for name, event in said if name == stream.lower()]
        assert events == ["CHECKPOINT_CREATED", "SWAP_CONFIRMATION"]


def test_what_a_lost_connection_interrupts_is_told_in_the_same_order(
    market: Market, hub: Hub, database_url: str
) -> None:
    rows = turn(market)
    teller = Teller(hub)
    dead: Engine = open_engine(database_url.replace("test_", "gone_"), application_name="tests")
    with pytest.raises(SQLAlchemyError), open_sessions(dead).begin() as session:
        teller.render(session, rows)
    dead.dispose()
    with market.world.begin() as session:
        said = in_order(teller.render(session, rows))
    assert [event for _, event in said] == ["CHECKPOINT_CREATED"] * 4 + ["SWAP_CONFIRMATION"] * 4
