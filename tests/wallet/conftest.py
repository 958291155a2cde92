"""Our wallet client at a real API over a real ledger; the test moves the blocks and matches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from ledger.rules import LedgerRules
from protocol.address import Address
from protocol.editions import ContractEdition
from tests.api.conftest import database_url, engine, ledger, site
from tests.api.serving import Site
from tests.ledger.paying import Bank
from tests.ledger.world import ETH, LQD, World, make_rules
from tests.orders.market import Market
from wallet.desk import TradingDesk, register_all
from wallet.keys import Keys
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.stream import EventStream
from wallet.trader import Trader
from wallet.verification import ChainIdentity
from wallet.wallet import Home

__all__ = ["database_url", "engine", "ledger", "site"]

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def rules(request: pytest.FixtureRequest) -> LedgerRules:
    """The rules of the scenarios, on the edition that a test asks for."""
    return make_rules(edition=getattr(request, "param", ContractEdition.HARDENED))


@dataclass
class Town:
    """A market of the ledger's, and wallets that reach it over HTTP and WebSocket only."""

    market: Market
    home: Home

    @property
    def world(self) -> World:
        return self.market.world

    async def desk(self, name: str, *, eth: int = 0, lqd: int = 0) -> TradingDesk:
        """A person with money and trading addresses, admitted and read."""
        desk = TradingDesk(self.home, Keys.from_text(name), [ETH, LQD])
        await desk.open()
        for token, amount in ((ETH, eth), (LQD, lqd)):
            if amount:
                self.give(desk.owner.address, amount, token)
                await desk.wallets[token].sync()
        return desk

    def give(self, address: Address, amount: int, token: Address) -> None:
        """Deposit for an address in the current eon, confirmed at once."""
        block = self.world.rules.clock.first_block(self.world.eon)
        self.world.event("Deposit", block=block, token=token, recipient=address, amount=amount)
        self.world.confirm(block)

    async def trader(self, name: str, *, eth: int = 0, lqd: int = 0) -> Trader:
        """One trading address with money."""
        trader = Trader(self.home, Keys.from_text(name))
        await register_all(self.home, [trader.wallet(ETH), trader.wallet(LQD)])
        for token, amount in ((ETH, eth), (LQD, lqd)):
            if amount:
                self.give(trader.keys.address, amount, token)
        return trader

    async def holdings(self, *traders: Trader) -> list[tuple[int, int]]:
        """What traders have in ETH and LQD, orders counted."""
        return [
            ((await t.wallet(ETH).sync()).balance, (await t.wallet(LQD).sync()).balance)
            for t in traders
        ]


def home_at(api: OperatorApi, rules: LedgerRules) -> Home:
    """A home whose chain is the ledger's: nothing here is read from a node."""
    chain = ChainIdentity(
        rules.contract,
        rules.operator.address,
        rules.clock.genesis_block,
        rules.clock.blocks_per_eon,
        rules.edition,
    )
    parent_chain = ParentChain(NOWHERE, rules.contract)
    return Home(api, EventStream(api.session, api.url), parent_chain, chain)


@pytest_asyncio.fixture
async def town(site: Site, ledger: World) -> AsyncIterator[Town]:
    """The town, in eon 1 with its checkpoint; its ledger is audited at the end."""
    market = Market(Bank(ledger))
    market.open()
    async with OperatorApi(site.url) as api:
        town = Town(market, home_at(api, ledger.rules))
        yield town
        await town.home.stream.close()
    assert market.bank.faults() == []
