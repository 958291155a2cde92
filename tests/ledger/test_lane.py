"""Bounds of sending that would stop the operator reach neither the type nor the table."""

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from ledger.interventions import Person, UpdateIdTaken
from ledger.transactions.lane import GWEI, LaneBounds, LaneRefused, read_bounds, set_bounds
from models import SendingAccount
from tests.ledger.world import World, key

OWNER = key("operator").address
KIM = Person("kim", "the fees", update_id="ticket 4")


def chosen(ledger: World) -> LaneBounds:
    with ledger.begin() as session:
        return read_bounds(session, OWNER)


def test_bounds_count_until_they_are_given_back_and_each_act_is_done_once(ledger: World) -> None:
    assert chosen(ledger) == LaneBounds()
    bounds = LaneBounds(8, 500, 3_000)
    with ledger.begin() as session:
        assert set_bounds(session, OWNER, KIM, bounds)
        assert not set_bounds(session, OWNER, KIM, bounds)
        with pytest.raises(UpdateIdTaken):
            set_bounds(session, OWNER, KIM, LaneBounds())
    assert chosen(ledger) == bounds
    with ledger.begin() as session:
        assert set_bounds(session, OWNER, Person("kim", "over"), LaneBounds())
    assert chosen(ledger) == LaneBounds()


@pytest.mark.parametrize("bounds", [(4,), (1_001,), (None, 0), (None, None, 1_000_001), (5, 9, 8)])
def test_nonsense_is_refused_with_its_name(bounds: tuple[int, ...]) -> None:
    with pytest.raises(LaneRefused):
        LaneBounds(*bounds)


@pytest.mark.parametrize(
    "values",
    [
        {"in_flight": 4},
        {"ceiling": GWEI - 1},
        {"critical_ceiling": 0},
        {"ceiling": 9 * GWEI, "critical_ceiling": 8 * GWEI},
    ],
)
def test_the_table_refuses_it_too(ledger: World, values: dict[str, int]) -> None:
    with ledger.begin() as session:
        set_bounds(session, OWNER, KIM, LaneBounds(5))
    with pytest.raises(IntegrityError), ledger.begin() as session:
        session.execute(update(SendingAccount).values(**values))
    assert chosen(ledger) == LaneBounds(5)
