"""A ledger in a real database, in eon 1, with ETH and LQD and the operator's wallets in both."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger.audit import verify_ledger
from ledger.rules import LedgerRules
from models.engine import open_engine, open_sessions
from tests.ledger.world import World, make_rules


@pytest.fixture
def rules(request: pytest.FixtureRequest) -> LedgerRules:
    """The rules of the scenarios; `parametrize(..., indirect=True)` replaces some of them."""
    return make_rules(**getattr(request, "param", {}))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh database; wide enough for tests with many connections."""
    engine = open_engine(database_url, application_name="tests", pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine, rules: LedgerRules) -> World:
    """A bootstrapped ledger; a test may parametrize its `rules`."""
    world = World(engine, open_sessions(engine), rules)
    world.bootstrap()
    return world


@pytest.fixture
def audited(ledger: World) -> Iterator[None]:
    """The ledger is audited when the test has ended."""
    yield
    with ledger.begin() as session:
        assert verify_ledger(session, ledger.rules) == []
