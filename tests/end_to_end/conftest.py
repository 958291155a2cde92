"""A whole operator on real parts: API processes, worker, PostgreSQL, Temporal, node, contract."""

from __future__ import annotations

import asyncio
import json
import os
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio.client import Client
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from contracts.deployment import create_commit_chain, create_token, deploy_libraries
from contracts.development import (
    DEVELOPMENT_MNEMONIC,
    LIBRARIES_INDEX,
    OPERATOR_INDEX,
    SHARE_INDICES,
    TOKEN_NAME,
    TOKEN_SUPPLY,
    TOKEN_SYMBOL,
    deploy_development_chain,
    development_account,
    send_share,
)
from contracts.sending import Sender
from duties.search_attributes import ALL as SEARCH_ATTRIBUTES
from models.engine import open_engine
from protocol.editions import ContractEdition
from simulation.pace import MiningPace
from stack.node import AnvilNode
from stack.part import running
from stack.parts import ApiServer, Worker
from stack.ports import free_port
from stack.temporal import TemporalDevServer, ensure_namespace
from tests.edition import artefacts_of
from wallet.keys import Keys
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import Home, open_home

BLOCKS_PER_EON = 48
API_PROCESSES = 2
READY_TIMEOUT_S = 90
CATCH_UP_TIMEOUT_S = 60
CHECKPOINT_DUE_BLOCKS = 7


@dataclass(frozen=True)
class RunningOperator:
    """Where the operator under test is, and the hand on the chain's clock."""

    url: str
    node_url: str
    contract: bytes
    token: bytes
    database_url: str
    temporal: Client
    w3: Web3
    worker: int | None = None

    def worker_cpu_s(self) -> float:
        """How much processor time the worker has used, in seconds."""
        assert self.worker is not None
        fields = Path(f"/proc/{self.worker}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def mine_at_once(self, *, wanted: bool) -> None:
        """Whether each transaction is mined as soon as it comes, or when the test says so."""
        self.w3.provider.make_request(RPCEndpoint("evm_setAutomine"), [wanted])

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks."""
        for _ in range(blocks):
            self.w3.provider.make_request(RPCEndpoint("evm_mine"), [])

    def pace(self) -> MiningPace:
        """A pace that mines instead of waiting, and never faster than the operator works."""
        return MiningPace(self.mine, self.caught_up)

    async def caught_up(self) -> bool:
        """Whether the newest block is read and the checkpoint that it calls for is on chain."""
        block = await asyncio.to_thread(self.chain.block)
        status = await asyncio.to_thread(_read_json, f"{self.url}/audit/")
        if status["latest"]["block"] < block:
            return False
        clock = await asyncio.to_thread(self.chain.identity)
        sub_block = (block - clock.genesis_block) % clock.blocks_per_eon
        eon = status["latest"]["eon_number"]
        due = sub_block > CHECKPOINT_DUE_BLOCKS
        return not due or await asyncio.to_thread(self.chain.checkpoint_root, eon) is not None

    async def catch_up(self) -> None:
        """Wait until the operator has done what the newest block asks of it."""
        deadline = time.monotonic() + CATCH_UP_TIMEOUT_S
        while not await self.caught_up():
            assert time.monotonic() < deadline, "the operator does not keep up"
            await asyncio.sleep(0.05)

    @cached_property
    def chain(self) -> ParentChain:
        """The tests' own look at the contract: making one takes longer than asking it."""
        return ParentChain(self.node_url, self.contract)

    def keys(self, index: int) -> Keys:
        """A funded development account; 0 is the operator and 9 deploys libraries."""
        return Keys.from_mnemonic(DEVELOPMENT_MNEMONIC, index)


@pytest.fixture
def chain_node(parts_folder: Path) -> Iterator[AnvilNode]:
    """A node of the test's own that mines each transaction at once."""
    port = free_port()
    node = AnvilNode(parts_folder / f"node-{port}", port, block_time_s=None)
    with running(node, parts_folder / f"node-{port}.log"):
        w3 = Web3(HTTPProvider(node.url))
        w3.provider.make_request(RPCEndpoint("evm_setAutomine"), [True])
        yield node


def deploy(w3: Web3, edition: ContractEdition) -> tuple[bytes, bytes]:
    """Deploy one edition's commit-chain and a token; returns their addresses."""
    if edition is ContractEdition.HARDENED:
        chain = deploy_development_chain(w3, blocks_per_eon=BLOCKS_PER_EON)
        return chain.commit_chain, chain.token
    account = development_account(OPERATOR_INDEX)
    sender = Sender(w3, account.private_key)
    libraries, _ = deploy_libraries(
        Sender(w3, development_account(LIBRARIES_INDEX).private_key),
        artefacts=artefacts_of(edition),
    )
    deployed = create_commit_chain(
        sender,
        blocks_per_eon=BLOCKS_PER_EON,
        operator=account.address,
        libraries=libraries,
        artefacts=artefacts_of(edition),
    )
    token = create_token(sender, TOKEN_NAME, TOKEN_SYMBOL, TOKEN_SUPPLY)
    for index in SHARE_INDICES:
        send_share(sender, token, index)
    return deployed.address, token


@pytest_asyncio.fixture
async def operator(
    edition: ContractEdition,
    chain_node: AnvilNode,
    database_url: str,
    temporal_dev_server: TemporalDevServer,
    parts_folder: Path,
) -> AsyncIterator[RunningOperator]:
    """The operator's processes, ready to serve wallets."""
    w3 = Web3(HTTPProvider(chain_node.url))
    contract, token = await asyncio.to_thread(deploy, w3, edition)
    port = free_port()
    environment = {
        "HUB_DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_dev_server.address,
        "TEMPORAL_NAMESPACE": f"nocust-{port}",
        "HUB_ETHEREUM_NODE_URL": chain_node.url,
        "HUB_API_PORT": str(port),
        "HUB_LQD_CONTRACT_ADDRESS": contract.hex(),
        "SLA_TOKEN_ADDRESS": token.hex(),
        "HUB_ACCEPT_PUBLISHED_CONTRACT": str(edition is ContractEdition.PUBLISHED),
        "HUB_SYNC_POLL_SECONDS": "0.1",
        "SWAPS_ENABLED": "true",
        "CORS_ORIGIN_ALLOW_ALL": "true",
    }
    temporal = await Client.connect(
        temporal_dev_server.address, namespace=environment["TEMPORAL_NAMESPACE"]
    )
    await ensure_namespace(temporal, SEARCH_ATTRIBUTES)
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as processes:
        worker = processes.enter_context(
            running(Worker(environment), parts_folder / f"worker-{port}.log")
        )
        operator = RunningOperator(
            url, chain_node.url, contract, token, database_url, temporal, w3, worker.pid
        )
        for number in range(API_PROCESSES):
            api = ApiServer(number, environment, f"{url}/health/ready")
            log = parts_folder / f"api-{number}-{port}.log"
            mining = asyncio.create_task(_mine_until_ready(operator, api))
            await asyncio.to_thread(processes.enter_context, running(api, log, READY_TIMEOUT_S))
            mining.cancel()
        await operator.catch_up()
        yield operator


async def _mine_until_ready(operator: RunningOperator, api: ApiServer) -> None:
    """Bootstrap registers a token on chain and waits for its confirmations: give it blocks.

    Never faster than the operator reads them: a late bootstrap would miss the first checkpoint.
    """
    engine = open_engine(operator.database_url, application_name="test")
    while not await asyncio.to_thread(api.is_ready):
        await asyncio.sleep(0.5)
        with engine.connect() as connection:
            seen = connection.execute(text("SELECT latest_block FROM chain_view")).scalar()
        if seen == operator.w3.eth.block_number:
            await asyncio.to_thread(operator.mine)
    engine.dispose()


def _read_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


@pytest_asyncio.fixture
async def home(operator: RunningOperator) -> AsyncIterator[Home]:
    """What a wallet needs to live at this operator."""
    async with OperatorApi(operator.url) as api:
        home = await open_home(api, ParentChain(operator.node_url, operator.contract))
        yield home
        await home.stream.close()
