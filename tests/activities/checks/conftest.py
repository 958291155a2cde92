"""What the checks' tests share: a Temporal server and the alarms that are open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import select
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.context import Context
from models import Alarm
from stack.temporal import TemporalDevServer
from tests.api.serving import eventually
from tests.workflows.scripted import register_attributes


@pytest_asyncio.fixture
async def temporal(temporal_dev_server: TemporalDevServer) -> AsyncIterator[Client]:
    """A client of a namespace of its own, with the search attributes."""
    client = await Client.connect(temporal_dev_server.address)
    namespace = f"test-{uuid4().hex}"
    day = Duration(seconds=86_400)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=day)
    )
    own = await Client.connect(temporal_dev_server.address, namespace=namespace)

    async def registered() -> bool:
        try:
            await register_attributes(own)
        except RPCError:
            return False
        return True

    await eventually(registered)
    yield own


def open_alarms(context: Context) -> dict[tuple[str, str], Alarm]:
    """The open alarms by subject and object."""
    with context.sessions.begin() as session:
        found = session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)))
        return {(row.subject, row.object): row for row in found}
