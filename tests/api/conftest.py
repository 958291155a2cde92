"""The API over a real ledger: in eon 1 with ETH, LQD and the operator's wallets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from sqlalchemy import Engine

from api.policy import ApiPolicy
from ledger.rules import LedgerRules
from models.engine import open_engine, open_sessions
from tests.api.serving import Site, serve
from tests.ledger.world import World, make_rules

ORIGIN = "http://localhost:3000"


@pytest.fixture
def rules(request: pytest.FixtureRequest) -> LedgerRules:
    """The rules of the scenarios; `parametrize(..., indirect=True)` replaces some of them."""
    return make_rules(**getattr(request, "param", {}))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The tests' own engine, beside the API's."""
    engine = open_engine(database_url, application_name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine, rules: LedgerRules) -> World:
    """A bootstrapped ledger."""
    world = World(engine, open_sessions(engine), rules)
    world.bootstrap()
    return world


@pytest_asyncio.fixture
async def site(database_url: str, ledger: World) -> AsyncIterator[Site]:
    """A server over `ledger`, ready."""
    policy = ApiPolicy(allowed_origins=frozenset({ORIGIN}))
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        yield site
