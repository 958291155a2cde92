"""Temporal: reachable, our namespace, its search attributes, and a worker on every queue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from commands.examinations.finding import Finding, fail, ok, warn
from commands.temporal import connect_lazily
from duties import queues, search_attributes
from settings import Settings

WHAT: Final = "temporal"
PATIENCE: Final = timedelta(seconds=5)
LONGEST_S: Final = 30.0
SHORTEST_RETENTION: Final = timedelta(days=30)
START: Final = "start Temporal, check TEMPORAL_ADDRESS and its credentials"
PREPARE: Final = "run `nocust-operator prepare`"


def examine_temporal(settings: Settings) -> Sequence[Finding]:
    """See what a duty needs to run at all."""
    try:
        return asyncio.run(_bounded(settings))
    except (RuntimeError, TimeoutError, RPCError) as error:
        return [fail(WHAT, f"it does not answer ({type(error).__name__})", START)]


async def _bounded(settings: Settings) -> list[Finding]:
    async with asyncio.timeout(LONGEST_S):
        return await _look(await connect_lazily(settings))


async def _look(client: Client) -> list[Finding]:
    name = client.namespace
    try:
        described = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=name), timeout=PATIENCE
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return [fail(WHAT, f"the namespace {name} does not exist", PREPARE)]
    found = [ok(WHAT, f"namespace {name}")]
    retention = described.config.workflow_execution_retention_ttl.ToTimedelta()
    if retention < SHORTEST_RETENTION:
        message = f"ended duties are kept for {retention.days} days only"
        found.append(warn(WHAT, message, PREPARE))
    return [*found, await _attributes(client), *[await _workers(client, one) for one in queues.ALL]]


async def _attributes(client: Client) -> Finding:
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=PATIENCE
    )
    known = set(listed.custom_attributes)
    missing = [key.name for key in search_attributes.ALL if key.name not in known]
    if missing:
        return fail(WHAT, f"search attributes are missing: {', '.join(missing)}", PREPARE)
    return ok(WHAT, "search attributes")


async def _workers(client: Client, queue: str) -> Finding:
    count = len(await pollers(client, queue))
    if not count:
        return fail("workers", f"nobody works on {queue}", "start `worker.py` with that role")
    return ok("workers", f"{count} on {queue}")


async def pollers(client: Client, queue: str) -> list[PollerInfo]:
    """Who has asked for work of `queue` in the last minutes."""
    kind = (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
        if queue == queues.DUTY
        else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    )
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        ),
        timeout=PATIENCE,
    )
    return list(described.pollers)
