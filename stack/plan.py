"""What a stack consists of, from the settings: the embedded parts, what replaces them, the order.

A part whose address is set is not started; the start waits for the real one instead.
"""

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from temporalio.client import Client

from models import migrate
from settings import DEVELOPMENT_ENVIRONMENT, Settings
from stack.data_folder import DataFolder
from stack.development_chain import deploy_contracts
from stack.errors import PortInUse
from stack.node import AnvilNode
from stack.part import Part
from stack.parts import ApiServer, Worker
from stack.ports import is_listening, require_free_port
from stack.postgres import EmbeddedPostgres
from stack.supervisor import Step, Unit, until
from stack.temporal import SearchAttributes, TemporalDevServer, ensure_namespace

PORT_PATIENCE_S = 5.0


@dataclass
class Stack:
    """The units and steps of a stack, and the environment that our own processes get."""

    settings: Settings
    folder: DataFolder
    attributes: SearchAttributes
    units: list[Unit] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    apis: list[ApiServer] = field(default_factory=list)
    ports: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        """Where wallets connect."""
        return f"http://127.0.0.1:{self.settings.api_port}"

    def require_free_ports(self) -> None:
        """Raise `PortInUse` if a needed port stays taken; one of a killed stack frees at once."""
        deadline = time.monotonic() + PORT_PATIENCE_S
        for port, part, setting in self.ports:
            while True:
                try:
                    require_free_port(port, part, setting)
                    break
                except PortInUse:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)


def plan(settings: Settings, attributes: SearchAttributes) -> Stack:
    """The stack that `settings` describe. Nothing is started and nothing is written."""
    stack = Stack(settings, DataFolder(settings.data_dir), attributes)
    stack.environment["HUB_DATA_DIR"] = str(stack.folder.root)
    _add_database(stack)
    _add_temporal(stack)
    _add_node(stack)
    _add_own_processes(stack)
    return stack


def _add_database(stack: Stack) -> None:
    given = stack.settings.database_url
    if given is None:
        port = stack.settings.postgres_port
        postgres = EmbeddedPostgres(stack.folder.part("postgres"), port)
        stack.units.append(Unit("postgres", postgres))
        stack.ports.append((port, "PostgreSQL", "HUB_POSTGRES_PORT"))
    else:
        url = given.reveal()
        stack.steps.append(_reachable("postgres", url, 5432))

    def bring_to_newest() -> None:
        if given is None:
            postgres.create_database()
        # Its password exists only now: the cluster may have been created a moment ago.
        url = postgres.url() if given is None else given.reveal()
        stack.environment["HUB_DATABASE_URL"] = url
        migrate.upgrade(url)

    async def migrations() -> None:
        await asyncio.to_thread(bring_to_newest)

    stack.steps.append(Step("migrations", migrations, after=("postgres",)))


def _add_temporal(stack: Stack) -> None:
    settings = stack.settings
    if settings.temporal_address is None:
        server = TemporalDevServer(
            stack.folder.part("temporal"),
            settings.temporal_port,
            settings.temporal_ui_port,
            settings.temporal_namespace,
        )
        stack.units.append(Unit("temporal", server))
        stack.ports.append((settings.temporal_port, "Temporal", "HUB_TEMPORAL_PORT"))
        stack.ports.append((settings.temporal_ui_port, "Temporal's UI", "HUB_TEMPORAL_UI_PORT"))
        stack.environment["TEMPORAL_ADDRESS"] = server.address
    else:
        stack.steps.append(_reachable("temporal", f"//{settings.temporal_address}", 7233))
    stack.environment["TEMPORAL_NAMESPACE"] = settings.temporal_namespace

    async def namespace() -> None:
        connect = settings.temporal_connect()
        address = stack.environment.get("TEMPORAL_ADDRESS")
        if address is not None:
            connect["target_host"] = address
        await ensure_namespace(await Client.connect(**connect), stack.attributes)

    stack.steps.append(Step("namespace", namespace, after=("temporal",)))


def _add_node(stack: Stack) -> None:
    settings = stack.settings
    if settings.node_url is not None:
        stack.steps.append(_reachable("node", settings.node_url.reveal(), 80))
        return
    node = AnvilNode(
        stack.folder.part("node"), settings.node_port, block_time_s=settings.block_time_s
    )
    stack.units.append(Unit("node", node, tend=node.tend))
    stack.ports.append((settings.node_port, "the Ethereum node", "HUB_NODE_PORT"))
    stack.environment |= {
        name: value for name, value in DEVELOPMENT_ENVIRONMENT.items() if name not in settings.given
    }
    stack.environment["HUB_ETHEREUM_NODE_URL"] = node.url
    stack.environment["HUB_ETHEREUM_CHAIN_ID"] = str(node.chain_id)

    async def contracts() -> None:
        await asyncio.to_thread(deploy_contracts, node, settings)

    stack.steps.append(Step("contracts", contracts, after=("node",)))


def _add_own_processes(stack: Stack) -> None:
    settings = stack.settings
    embedded_node = settings.node_url is None
    after = ("migrations", "namespace", "contracts" if embedded_node else "node")
    stack.ports.append((settings.api_port, "the API", "HUB_API_PORT"))
    for number in range(1, settings.api_processes + 1):
        api = ApiServer(number, stack.environment, f"{stack.api_url}/health/ready")
        stack.apis.append(api)
        stack.units.append(Unit(api.name, api, after))
    worker: Part = Worker(stack.environment)
    stack.units.append(Unit("worker", worker, after))


def _reachable(name: str, url: str, default_port: int) -> Step:
    """Wait for a part of somebody else's, for as long as it takes."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, default_port)

    async def wait() -> None:
        await until(lambda: is_listening(parts.hostname or "localhost", port))

    return Step(name, wait)
