"""A rogue operator in eon 1, and wallets that reach it over HTTP and believe only the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from sqlalchemy import Engine

from api.policy import ApiPolicy
from chain.gateway import ContractGateway
from chain.node import Node
from models.engine import open_engine, open_sessions
from protocol.clock import EonClock
from protocol.signing import Signer
from tests.api.serving import Site, serve
from tests.contracts.conftest import chain, libraries, w3
from tests.contracts.harness import OPERATOR, Chain
from tests.contracts.trading import register_token
from tests.dishonest.kit import DisputedWorld, Rogue
from tests.ledger.world import make_rules
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import Home, open_home

__all__ = ["chain", "libraries", "w3"]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, application_name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def rogue(chain: Chain, engine: Engine) -> Rogue:
    """The rogue, with ether and T, and A with all the T there is."""
    token = register_token(chain)
    operator = Signer(OPERATOR.private_key)
    rules = make_rules(
        contract=chain.address,
        operator=operator,
        clock=EonClock(chain.genesis, chain.blocks_per_eon),
        sla_token=token,
        sla_recipient=operator.address,
    )
    world = DisputedWorld(engine, open_sessions(engine), rules)
    world.bootstrap_at(token)
    rogue = Rogue(chain, world, ContractGateway(Node(node_url(chain)), chain.address), token)
    rogue.open()
    return rogue


@pytest_asyncio.fixture
async def site(database_url: str, rogue: Rogue) -> AsyncIterator[Site]:
    async with serve(database_url, lambda _session: rogue.world.rules, ApiPolicy()) as site:
        yield site


@pytest_asyncio.fixture
async def home(site: Site, rogue: Rogue) -> AsyncIterator[Home]:
    async with OperatorApi(site.url) as api:
        home = await open_home(api, ParentChain(node_url(rogue.chain), rogue.chain.address))
        yield home
        await home.stream.close()


def node_url(chain: Chain) -> str:
    return str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
