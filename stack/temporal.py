"""An embedded Temporal: the single-binary development server with its UI and a persistent file."""

import asyncio
import sysconfig
import urllib.request
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from stack.errors import MissingBinary, StackError
from stack.ports import LOOPBACK, free_port
from stack.process import ProcessSpec

RETENTION = timedelta(days=30)
# What the development server's data base has room for, of each type.
MOST_INTEGERS = 3
NEW_NAMESPACE_TIMEOUT_S = 30.0

SearchAttributes = Sequence[SearchAttributeKey[object]]

_TYPES = {
    SearchAttributeIndexedValueType.TEXT: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    SearchAttributeIndexedValueType.KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    SearchAttributeIndexedValueType.INT: IndexedValueType.INDEXED_VALUE_TYPE_INT,
    SearchAttributeIndexedValueType.DOUBLE: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    SearchAttributeIndexedValueType.BOOL: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    SearchAttributeIndexedValueType.DATETIME: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    SearchAttributeIndexedValueType.KEYWORD_LIST: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


def script_path(name: str) -> Path:
    """The program `name` that a package installed beside our Python; raises `MissingBinary`."""
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise MissingBinary(f"{name} is not installed beside this Python ({path.parent})")
    return path


class TemporalDevServer:
    """Temporal on 127.0.0.1:`port` with its UI on `ui_port` (a `Part` of the stack).

    Its state lives in one file below `folder` and survives kills. `ui_port=None` runs without UI.
    """

    def __init__(
        self, folder: Path, port: int, ui_port: int | None, namespace: str = "nocust"
    ) -> None:
        self.folder, self.port, self.ui_port, self.namespace = folder, port, ui_port, namespace
        self._http_port = free_port()

    @property
    def address(self) -> str:
        """Where clients connect: `host:port`."""
        return f"{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Create the folder of its file."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def spec(self) -> ProcessSpec:
        """The development server in the foreground."""
        ui = ("--headless",) if self.ui_port is None else ("--ui-port", str(self.ui_port))
        return ProcessSpec(
            name="temporal",
            command=(
                str(script_path("temporal")),
                "server",
                "start-dev",
                "--ip",
                LOOPBACK,
                "--port",
                str(self.port),
                "--http-port",
                str(self._http_port),
                *ui,
                "--ui-disable-news-fetch",
                "--db-filename",
                str(self.folder / "temporal.db"),
                "--namespace",
                self.namespace,
                "--log-level",
                "warn",
                "--log-format",
                "json",
            ),
        )

    def is_ready(self) -> bool:
        """Whether the front end answers and knows the namespace."""
        url = f"http://{LOOPBACK}:{self._http_port}/api/v1/namespaces/{self.namespace}"
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


async def ensure_namespace(
    client: Client, attributes: SearchAttributes, retention: timedelta = RETENTION
) -> None:
    """Make the client's namespace exist with `retention` and `attributes`; safe to repeat.

    Raises `StackError` for more integers than a server on SQLite can index, and for an attribute
    that is there with another type: workflows that set it would fail for ever.
    """
    integers = [a.name for a in attributes if a.indexed_value_type.name == "INT"]
    if len(integers) > MOST_INTEGERS:
        raise StackError(f"more than {MOST_INTEGERS} integer search attributes: {integers}")
    period = Duration()
    period.FromTimedelta(retention)
    service, name = client.workflow_service, client.namespace
    try:
        await service.register_namespace(
            RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=period)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        await service.update_namespace(
            UpdateNamespaceRequest(
                namespace=name, config=NamespaceConfig(workflow_execution_retention_ttl=period)
            )
        )
    await _ensure_attributes(client, attributes)


async def _ensure_attributes(client: Client, attributes: SearchAttributes) -> None:
    wanted = {key.name: _TYPES[key.indexed_value_type] for key in attributes}
    known = await _known_attributes(client)
    if wrong := [name for name in wanted if known.get(name, wanted[name]) != wanted[name]]:
        raise StackError(f"search attributes exist with another type: {', '.join(wrong)}")
    missing = {name: kind for name, kind in wanted.items() if name not in known}
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )


async def _known_attributes(client: Client) -> dict[str, int]:
    """The registered attributes; a new namespace takes seconds to be seen by all of a server."""
    deadline = asyncio.get_running_loop().time() + NEW_NAMESPACE_TIMEOUT_S
    while True:
        try:
            listed = await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=client.namespace)
            )
        except RPCError as error:
            late = asyncio.get_running_loop().time() > deadline
            if error.status is not RPCStatusCode.NOT_FOUND or late:
                raise
            await asyncio.sleep(0.5)
        else:
            return dict(listed.custom_attributes)
