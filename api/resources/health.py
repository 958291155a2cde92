"""Health: whether the process lives, whether it can serve wallets, and how the operator is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from sanic import HTTPResponse, Request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.faults import Unavailable
from api.openapi.schemas import ref
from api.operator import Operator
from api.replies import json_reply
from api.resources.tokens import chain_positions
from api.routing import Operation, Resource
from ledger.clock import STALE_AFTER, find_view, require_intake
from ledger.payloads import seconds
from ledger.reading.status import find_status
from ledger.reading.tokens import list_tokens
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from ledger.switches import paused_switches
from ledger.terms import latest_terms


class Health:
    """`/health/live`, `ready`, `status`; for machines `/livez`, `/readyz` and `/metrics`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def resources(self) -> tuple[Resource, ...]:
        """The routes."""
        return self._for_people(), self._for_probes(), self._for_prometheus()

    def _for_probes(self) -> Resource:
        return Resource(
            "probes",
            "",
            (
                Operation(
                    "GET", "/livez", self.live, "livez", "The process answers", {"type": "object"}
                ),
                Operation(
                    "GET",
                    "/readyz",
                    self.ready,
                    "readyz",
                    "Wallets can be served; 503 says what is missing",
                    ref("Readiness"),
                    other_answers={503: ref("Readiness")},
                ),
            ),
            for_probes=True,
        )

    def _for_prometheus(self) -> Resource:
        path = Operation("GET", "/metrics", self.metrics, "metrics", "Metrics", {"type": "string"})
        return Resource(
            "metrics",
            "",
            (path,),
            described=False,
            guard=self._operator.callers.require_metrics,
            for_probes=True,
        )

    def _for_people(self) -> Resource:
        return Resource(
            "health",
            "/health",
            (
                Operation(
                    "GET", "/live", self.live, "live", "The process answers", {"type": "object"}
                ),
                Operation(
                    "GET",
                    "/ready",
                    self.ready,
                    "ready",
                    "Wallets can be served; 503 says what is missing",
                    ref("Readiness"),
                    other_answers={503: ref("Readiness")},
                ),
                Operation(
                    "GET",
                    "/status",
                    self.status,
                    "health",
                    "How the operator is, for the people who run it",
                    {"type": "object"},
                    refusals=(503,),
                ),
            ),
            for_probes=True,
        )

    async def live(self, _request: Request) -> HTTPResponse:
        """Answer."""
        return json_reply({"live": True})

    async def ready(self, _request: Request) -> HTTPResponse:
        """Name everything that is missing before wallets can be served, and what is degraded."""
        missing, degraded = await self._look()
        if self._operator.is_bootstrapped and not self._operator.hub.is_listening:
            missing.append("the notifications")
        status = 503 if missing else 200
        return json_reply({"ready": not missing, "missing": missing, "degraded": degraded}, status)

    async def status(self, _request: Request) -> HTTPResponse:
        """Tell the clock, the last checkpoint, whether payments are taken, and open alarms."""
        rules = self._operator.rules()
        return json_reply(await self._operator.database.read(_status, rules))

    async def metrics(self, _request: Request) -> HTTPResponse:
        """The numbers of all processes on this port."""
        text = await asyncio.to_thread(self._operator.metrics.expose)
        return HTTPResponse(text, content_type=CONTENT_TYPE_LATEST)

    async def _look(self) -> tuple[list[str], list[str]]:
        if not self._operator.is_bootstrapped:
            return ["the contract's parameters"], []
        try:
            return await self._operator.database.read(_look)
        except (SQLAlchemyError, Unavailable):
            return ["the ledger's database"], []


def _look(session: Session) -> tuple[list[str], list[str]]:
    view = find_view(session)
    found = {
        "the first block": view is not None,
        "the terms of service": latest_terms(session) is not None,
        "a token": bool(list_tokens(session)),
    }
    missing = [name for name, is_there in found.items() if not is_there]
    is_stale = view is not None and datetime.now(UTC) - view.seen_at > STALE_AFTER
    return missing, ["the chain duties"] if is_stale else []


def _status(session: Session, rules: LedgerRules) -> dict[str, Any]:
    status, view = find_status(session, rules), find_view(session)
    if status is None or view is None:
        raise Unavailable("the chain has not been seen yet")
    try:
        require_intake(view, rules)
        intake = "open"
    except Refusal as refusal:
        intake = refusal.message
    return chain_positions(status) | {
        "last_submitted_eon": status.last_submitted_eon,
        "seen_at": seconds(status.seen_at),
        "intake": intake,
        "paused": paused_switches(session),
        "open_alarms": status.open_alarms,
        "edition": rules.edition.value,
    }
