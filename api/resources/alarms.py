"""The alarms, for the people who watch: what is wrong, since when, and what to do."""

from __future__ import annotations

from typing import Any

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.guard import AdminGuard
from api.openapi.schemas import ref
from api.operator import Operator
from api.rendering.alarms import alarm_payload
from api.replies import json_reply
from api.routing import Operation, Resource
from ledger.reading.alarms import list_alarms


class Alarms:
    """`/admin/alarms`, open to who has the administration's secret."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def resource(self) -> Resource:
        """The routes."""
        return Resource(
            "alarms",
            "/admin/alarms",
            (
                Operation(
                    "GET",
                    "/",
                    self.alarms,
                    "alarms",
                    "Conditions that a person should know of, youngest first",
                    ref("Alarms"),
                    query=(
                        {
                            "name": "all",
                            "in": "query",
                            "description": "`true`: those that have ended too",
                            "schema": {"type": "boolean"},
                        },
                    ),
                    refusals=(404, 503),
                ),
            ),
            guard=AdminGuard(self._operator.policy.admin_token),
        )

    async def alarms(self, request: Request) -> HTTPResponse:
        """List the open alarms, or all of them."""
        include_cleared = request.args.get("all", "false").lower() == "true"
        return json_reply(await self._operator.database.read(_alarms, include_cleared))


def _alarms(session: Session, include_cleared: bool) -> dict[str, Any]:
    rows = list_alarms(session, include_cleared=include_cleared)
    return {"alarms": [alarm_payload(row) for row in rows]}
