"""The account's ether and the duties at work, asked for now and then."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from prometheus_client import CollectorRegistry, Gauge
from temporalio.client import Client
from temporalio.service import RPCError

from activities.context import Context
from chain.errors import ChainError
from chain.fuel import reserve
from chain.gas import read_fee_market
from duties import search_attributes
from logs import get_logger

ASK_EVERY_S: Final = 30.0
MOST_DUTIES: Final = 5_000

log = get_logger(__name__)


class Surroundings:
    """Asks the node and Temporal every `ASK_EVERY_S`; what does not answer keeps its last numbers.

    How long ago each answered is told beside them.
    """

    def __init__(self, context: Context, client: Client, registry: CollectorRegistry) -> None:
        self._context = context
        self._client = client
        self._fuel = Gauge("nocust_account_wei", "The account's ether, in wei.", registry=registry)
        self._reserve = Gauge(
            "nocust_account_reserve_wei",
            "What one checkpoint and ten answers cost at the fees of the moment, in wei.",
            registry=registry,
        )
        self._duties = Gauge(
            "nocust_duties_running", "Duties at work, by type.", ("type",), registry=registry
        )
        self._blocked = Gauge(
            "nocust_duties_blocked", "Duties that wait for something amiss.", registry=registry
        )
        self._answered = Gauge(
            "nocust_surroundings_answered_timestamp_seconds",
            "When the node and Temporal last answered this process.",
            ("who",),
            registry=registry,
        )

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self._ask_node)
            except ChainError as error:
                log.info("the node cannot be measured", reason=type(error).__name__)
            try:
                await self._ask_temporal()
            except RPCError as error:
                log.info("the duties cannot be counted", reason=str(error.status))
            await asyncio.sleep(ASK_EVERY_S)

    def _ask_node(self) -> None:
        node = self._context.gateway.node
        self._fuel.set(node.balance(self._context.operator.address))
        self._reserve.set(reserve(read_fee_market(node), self._context.fees))
        self._answered.labels("node").set_to_current_time()

    async def _ask_temporal(self) -> None:
        types: Counter[str] = Counter()
        blocked = 0
        running = self._client.list_workflows('ExecutionStatus = "Running"', limit=MOST_DUTIES)
        async for execution in running:
            types[execution.workflow_type] += 1
            attributes = execution.typed_search_attributes
            blocked += bool(attributes.get(search_attributes.BLOCKED))
        self._duties.clear()
        for name, count in types.items():
            self._duties.labels(name).set(count)
        self._blocked.set(blocked)
        self._answered.labels("temporal").set_to_current_time()
