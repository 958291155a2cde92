"""The API over a real ledger: in eon 1 with ETH, LQD and the operator's wallets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from api.policy import ApiPolicy
from tests.api.serving import Site, serve
from tests.ledger.conftest import database_url, engine, ledger, rules
from tests.ledger.world import World
from tests.orders.conftest import market

ORIGIN = "http://localhost:3000"


__all__ = ["database_url", "engine", "ledger", "market", "rules"]


@pytest_asyncio.fixture
async def site(database_url: str, ledger: World) -> AsyncIterator[Site]:
    """A server over `ledger`, ready."""
    policy = ApiPolicy(allowed_origins=frozenset({ORIGIN}))
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        yield site
