"""A market on a real ledger, in eon 1 with its checkpoint, audited at the end of each test."""

from collections.abc import Iterator

import pytest

from tests.ledger.conftest import database_url, engine, ledger, rules
from tests.ledger.paying import Bank
from tests.ledger.world import World
from tests.orders.market import Market

__all__ = ["database_url", "engine", "ledger", "rules"]


@pytest.fixture
def market(ledger: World) -> Iterator[Market]:
    market = Market(Bank(ledger))
    market.open()
    yield market
    assert market.bank.faults() == []
