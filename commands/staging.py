"""The parts of a simulation: a node that mines on demand, a proxy that fails, a whole operator."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Final, Self

from chain.gateway import ContractGateway
from chain.node import Node
from contracts.development import SHARE_INDICES, development_account
from settings import Settings
from simulation.node_proxy import node_proxy
from simulation.play.cast import GAS_MONEY, Cast, House, Player, new_house, new_player
from simulation.play.operator_watch import OperatorWatch
from simulation.play.parent_node import ParentNode
from simulation.play.scenes.faults import NODE
from simulation.play.script import SYMBOLS
from simulation.play.stage import Stage
from simulation.play.tally import Tally
from simulation.play.timeline import Timeline
from stack.data_folder import DataFolder
from stack.development_chain import deploy_contracts
from stack.node import AnvilNode
from stack.own_node import OwnNode
from stack.ports import free_port
from stack.saboteur import kill
from stack.trial import TrialStack
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import open_home

BLOCKS_PER_EON: Final = 48
CONFIRMATIONS: Final = 3
LONGEST_BLOCK_S: Final = 12.0
"""As on the main chain: a block that somebody is not done with lasts no longer than that."""
LQD_OF_A_HOUSE: Final = 10**20
READY_TIMEOUT_S: Final = 240.0


class Staging:
    """Everything that a play runs on, in one folder; `async with` starts and stops it.

    It is also the hands that kill parts. Wallets speak to the node itself, the operator through
    the proxy.
    """

    def __init__(self, folder: DataFolder, seed: int) -> None:
        self._seed = seed
        node = AnvilNode(folder.part("chain"), free_port(), block_time_s=None)
        self._node = OwnNode(node, folder.root / "chain.log")
        self._parts = AsyncExitStack()
        self._proxy = self._parts.enter_context(node_proxy(node.url))
        self._operator = TrialStack(
            DataFolder(folder.part("operator")),
            HUB_ETHEREUM_NODE_URL=self._proxy.url,
            HUB_BLOCKS_PER_EON=str(BLOCKS_PER_EON),
            HUB_LQD_CONTRACT_CONFIRMATIONS=str(CONFIRMATIONS),
            HUB_SYNC_POLL_SECONDS="0.1",
            BLOCK_TIME="1",
            SLA_THRESHOLD="1000000",
            SWAPS_ENABLED="true",
            CORS_ORIGIN_ALLOW_ALL="true",
        )

    async def __aenter__(self) -> Self:
        try:
            self._parts.push_async_callback(self._node.stop)
            await self._node.start()
            await asyncio.to_thread(deploy_contracts, self._node.node, self.settings)
            await self._parts.enter_async_context(self._operator.running())
        except BaseException:
            await self._parts.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    @property
    def settings(self) -> Settings:
        """The operator's."""
        return self._operator.settings

    def database_url(self) -> str:
        """The operator's database."""
        return self._operator.database_url()

    async def kill(self, part: str) -> None:
        """Kill a part. The supervisor starts the operator's again; the node is back on return."""
        if part == NODE:
            await self._node.kill()
        else:
            await kill(self._operator.folder, part)

    async def save_node(self) -> None:
        """Return when everything mined so far is on disk."""
        await self._node.save()

    async def set(self, cast: Cast) -> Stage:
        """Build the stage for a cast, and bring the operator to serve them.

        Raises `TimeoutError`.
        """
        url, contract = self._node.node.url, self.settings.contract_address
        api = await self._parts.enter_async_context(OperatorApi(self._operator.url))
        node, gateway = ParentNode(url), ContractGateway(Node(url), contract)
        watch = OperatorWatch(api, node, gateway, CONFIRMATIONS)
        timeline = Timeline(node, watch.is_done, longest_block_s=LONGEST_BLOCK_S)
        chain = ParentChain(url, contract, pause=timeline.pause_in_thread)
        home = await open_home(api, chain)
        self._parts.push_async_callback(home.stream.close)
        await timeline.run_until(self._operator.is_ready, timeout_s=READY_TIMEOUT_S)
        tokens = {contract: SYMBOLS[0], self.settings.sla_token_address: SYMBOLS[1]}
        houses = {name: new_house(home, self._seed, name, tokens) for name in cast.houses}
        players = {name: new_player(home, self._seed, name, contract) for name in cast.wallets}
        players |= {one.name: one for house in houses.values() for one in house.players}
        async with timeline.hand():
            await asyncio.to_thread(self._endow, node, players.values(), houses.values())
        return Stage(
            home=home,
            gateway=gateway,
            clock=await asyncio.to_thread(gateway.clock),
            timeline=timeline,
            node=node,
            node_proxy=self._proxy,
            watch=watch,
            hands=self,
            players=players,
            houses=houses,
            tally=Tally(),
            confirmations=CONFIRMATIONS,
        )

    def _endow(self, node: ParentNode, players: Iterable[Player], houses: Iterable[House]) -> None:
        """Give everybody ether, and the houses LQD of a development account; mines blocks."""
        for player in players:
            node.fund(player.address, GAS_MONEY)

        def mine() -> None:
            node.mine()

        chain = ParentChain(self._node.node.url, self.settings.contract_address, pause=mine)
        bank = development_account(SHARE_INDICES[0]).private_key
        for house in houses:
            owner = house.actor.desk.owner.address
            chain.send_token(bank, self.settings.sla_token_address, owner, LQD_OF_A_HOUSE)
