"""What people decide about withdrawal requests, over HTTP."""

from __future__ import annotations

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.administration.acts import Act, once, read_act
from api.administration.pages import read_limit
from api.faults import Detail
from api.openapi.schemas import array_of, query, ref
from api.readers import Database
from api.replies import json_reply
from api.routing import Guard, Operation, Resource
from ledger.request_decisions import DECISIONS, CannotDecide, decide_request, list_requests
from protocol.address import checksum_address


class Requests:
    """`/admin/requests`."""

    def __init__(self, database: Database, guard: Guard) -> None:
        self._database = database
        self._guard = guard

    def resource(self) -> Resource:
        """The routes."""
        operations = (
            Operation(
                "GET",
                "/",
                self.list,
                "requests",
                "Withdrawal requests that are neither paid nor slashed, the oldest first",
                array_of(ref("OpenRequest")),
                query=(
                    query("blocked", "`true`: those that are not paid until released"),
                    query("limit", "100, at most 1000"),
                ),
                refusals=(400, 404, 503),
            ),
            Operation(
                "POST",
                f"/<number:NUMBER>/<decision:(?:{'|'.join(DECISIONS)})>",
                self.decide,
                "decideRequest",
                "Have a blocked request paid after all, or keep one from being paid",
                ref("RequestDecided"),
                body=ref("ActIn"),
                refusals=(404, 409, 503),
            ),
        )
        return Resource("requests", "/admin/requests", operations, guard=self._guard)

    async def list(self, request: Request) -> HTTPResponse:
        """The open requests."""
        limit, blocked = read_limit(request), request.args.get("blocked") == "true"
        return json_reply(await self._database.read(_listed, limit, blocked))

    async def decide(self, request: Request, number: str, decision: str) -> HTTPResponse:
        """Decide about one; done once for each `update_id`."""
        act = read_act(request)
        changed = await self._database.write(_decide, int(number), decision, act)
        answer = {"request": int(number), "decision": decision, "changed": changed}
        return json_reply(answer | {"update_id": act.update_id})


def _listed(session: Session, limit: int, blocked: bool) -> list[dict[str, object]]:
    return [
        {
            "request": one.number,
            "token": one.short_name,
            "wallet": checksum_address(one.holder),
            "amount": str(one.amount),
            "eon": one.eon,
            "status": one.status,
        }
        for one in list_requests(session, limit=limit, only_blocked=blocked)
    ]


def _decide(session: Session, number: int, decision: str, act: Act) -> bool:
    try:
        return once(lambda: decide_request(session, number, decision, act.person))
    except CannotDecide as error:
        raise Detail(409, str(error)) from None
