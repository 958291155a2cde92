"""The book of interventions over HTTP."""

from __future__ import annotations

from typing import Any

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.administration.pages import read_limit, read_number
from api.openapi.schemas import array_of, query, ref
from api.readers import Database
from api.replies import json_reply
from api.routing import Guard, Operation, Resource
from ledger.interventions import list_interventions
from ledger.payloads import seconds


class Records:
    """`/admin/audit-log`."""

    def __init__(self, database: Database, guard: Guard) -> None:
        self._database = database
        self._guard = guard

    def resource(self) -> Resource:
        """The routes."""
        operation = Operation(
            "GET",
            "/",
            self.list,
            "auditLog",
            "What people did to the operator, the newest first",
            array_of(ref("InterventionRecord")),
            query=(
                query("limit", "100, at most 1000"),
                query("before", "Only records older than the one of this id"),
                query("subject", "Only what was done to this duty, switch or address"),
            ),
            refusals=(400, 404, 503),
        )
        return Resource("audit-log", "/admin/audit-log", (operation,), guard=self._guard)

    async def list(self, request: Request) -> HTTPResponse:
        """Read the book."""
        limit, before = read_limit(request), read_number(request, "before")
        subject = request.args.get("subject")
        return json_reply(await self._database.read(_records, limit, before, subject))


def _records(
    session: Session, limit: int, before: int | None, subject: str | None
) -> list[dict[str, Any]]:
    return [
        {
            "id": record.id,
            "time": seconds(record.time),
            "actor": record.actor,
            "action": record.action,
            "subject": record.subject,
            "value": record.value,
            "reason": record.reason,
            "update_id": record.update_id,
        }
        for record in list_interventions(session, limit=limit, before=before, subject=subject)
    ]
