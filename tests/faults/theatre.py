"""A play's stage on the session's real parts, with an operator that may be mistreated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web
from temporalio.client import Client

from chain.gateway import ContractGateway
from chain.node import Node
from contracts.development import SHARE_INDICES, development_account
from duties.search_attributes import ALL as SEARCH_ATTRIBUTES
from settings import Settings
from simulation.node_proxy import node_proxy
from simulation.play.cast import GAS_MONEY, Cast, House, Player, new_house, new_player
from simulation.play.operator_watch import OperatorWatch
from simulation.play.parent_node import ParentNode
from simulation.play.script import SYMBOLS
from simulation.play.stage import Stage
from simulation.play.tally import Tally
from simulation.play.timeline import Timeline
from stack.development_chain import deploy_contracts
from stack.node import AnvilNode
from stack.part import running
from stack.parts import ApiServer, Worker
from stack.ports import free_port
from stack.temporal import TemporalDevServer, ensure_namespace
from tests.faults.keeper import Keeper, WorkerKeeper
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import Home, open_home

BLOCKS_PER_EON: Final = 48
CONFIRMATIONS: Final = 3
LQD_OF_A_HOUSE: Final = 10**20
READY_TIMEOUT_S: Final = 600.0
SEED: Final = 20_261_125


class NoHands:
    """Nothing is killed by a scene: processes die by themselves, or not at all."""

    async def kill(self, part: str) -> None:
        """Refuse."""
        raise AssertionError(f"no scene kills {part}")

    async def save_node(self) -> None:
        """Refuse."""
        raise AssertionError("no scene kills the node")


@dataclass
class Theatre:
    """A stage, and what its operator is made of."""

    stage: Stage
    settings: Settings
    temporal: Client
    database_url: str
    keepers: list[Keeper]
    told: list[str] = field(default_factory=list)
    """The paths of what was posted to the operator's two hooks."""


@asynccontextmanager
async def open_theatre(
    folder: Path,
    database_url: str,
    temporal_server: TemporalDevServer,
    cast: Cast,
    *,
    longest_block_s: float,
    more: Mapping[str, str],
) -> AsyncIterator[Theatre]:
    """A whole operator that serves the cast; `more` is set in its environment.

    Wallets speak to the node itself, the operator through the stage's proxy. No block lasts longer
    than `longest_block_s`, whoever is not done with it.
    """
    node = AnvilNode(folder / "node", free_port(), block_time_s=None)
    async with AsyncExitStack() as parts:
        parts.enter_context(running(node, folder / "node.log"))
        proxy = parts.enter_context(node_proxy(node.url))
        told: list[str] = []
        hook = await _listen(parts, told)
        environment = {
            **_environment(folder, database_url, temporal_server, proxy.url, hook),
            **more,
        }
        settings = Settings.from_env(environment)
        await asyncio.to_thread(deploy_contracts, node, settings)
        temporal = await Client.connect(**settings.temporal_connect())
        await ensure_namespace(temporal, SEARCH_ATTRIBUTES)
        url = f"http://127.0.0.1:{settings.api_port}"
        api_server = ApiServer(0, environment, f"{url}/health/ready")
        worker = WorkerKeeper(Worker(environment), environment, folder / "worker.log", temporal)
        keepers = [worker, Keeper(api_server.spec(), folder / "api.log")]
        for keeper in keepers:
            await parts.enter_async_context(keeper)
        api = await parts.enter_async_context(OperatorApi(url))
        parent, gateway = (
            ParentNode(node.url),
            ContractGateway(Node(node.url), settings.contract_address),
        )
        watch = OperatorWatch(api, parent, gateway, CONFIRMATIONS)
        timeline = Timeline(parent, watch.is_done, longest_block_s=longest_block_s)
        chain = ParentChain(node.url, settings.contract_address, pause=timeline.pause_in_thread)
        home = await open_home(api, chain)
        parts.push_async_callback(home.stream.close)

        async def ready() -> bool:
            for keeper in keepers:
                keeper.require_alive()
            return await asyncio.to_thread(api_server.is_ready)

        await timeline.run_until(ready, timeout_s=READY_TIMEOUT_S)
        houses, players = _call_up(cast, home, settings)
        stage = Stage(
            home=home,
            gateway=gateway,
            clock=await asyncio.to_thread(gateway.clock),
            timeline=timeline,
            node=parent,
            node_proxy=proxy,
            watch=watch,
            hands=NoHands(),
            players=players,
            houses=houses,
            tally=Tally(),
            confirmations=CONFIRMATIONS,
        )
        async with timeline.hand():
            await asyncio.to_thread(_endow, stage, node.url, settings)
        yield Theatre(stage, settings, temporal, database_url, keepers, told)


def _call_up(
    cast: Cast, home: Home, settings: Settings
) -> tuple[dict[str, House], dict[str, Player]]:
    """The cast's houses, and its players with those of the houses, by their names."""
    tokens = {settings.contract_address: SYMBOLS[0], settings.sla_token_address: SYMBOLS[1]}
    houses = {name: new_house(home, SEED, name, tokens) for name in cast.houses}
    players = {
        name: new_player(home, SEED, name, settings.contract_address) for name in cast.wallets
    }
    players |= {one.name: one for house in houses.values() for one in house.players}
    return houses, players


def _environment(
    folder: Path, database_url: str, temporal: TemporalDevServer, node_url: str, hook: str
) -> dict[str, str]:
    port = free_port()
    return {
        "HUB_DATA_DIR": str(folder / "data"),
        "HUB_DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": f"nocust-{port}",
        "HUB_ETHEREUM_NODE_URL": node_url,
        "HUB_API_PORT": str(port),
        "HUB_BLOCKS_PER_EON": str(BLOCKS_PER_EON),
        "HUB_LQD_CONTRACT_CONFIRMATIONS": str(CONFIRMATIONS),
        "HUB_SYNC_POLL_SECONDS": "0.1",
        "BLOCK_TIME": "1",
        "SLA_THRESHOLD": "1000000",
        "SWAPS_ENABLED": "true",
        "CORS_ORIGIN_ALLOW_ALL": "true",
        "NOTIFICATION_HOOK_URL": f"{hook}/alarms",
        "TRANSACTION_HOOK_URL": f"{hook}/transfers",
    }


async def _listen(parts: AsyncExitStack, told: list[str]) -> str:
    """Serve the two hooks, which refuse what comes first; returns where."""

    async def take(request: web.Request) -> web.Response:
        is_first = request.path not in told
        await request.read()
        told.append(request.path)
        return web.json_response({}, status=503 if is_first else 200)

    application = web.Application()
    application.router.add_post("/{hook}", take)
    runner = web.AppRunner(application)
    await runner.setup()
    parts.push_async_callback(runner.cleanup)
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return f"http://127.0.0.1:{port}"


def _endow(stage: Stage, node_url: str, settings: Settings) -> None:
    """Give everybody ether, and the houses LQD of a development account; mines blocks."""
    for player in stage.players.values():
        stage.node.fund(player.address, GAS_MONEY)
    chain = ParentChain(node_url, settings.contract_address, pause=lambda: _mine(stage))
    bank = development_account(SHARE_INDICES[0]).private_key
    for house in stage.houses.values():
        owner = house.actor.desk.owner.address
        chain.send_token(bank, settings.sla_token_address, owner, LQD_OF_A_HOUSE)


def _mine(stage: Stage) -> None:
    stage.node.mine()
