"""The bounds of sending over HTTP: a row, read by the process that signs, whenever it signs."""

from __future__ import annotations

from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.administration.acts import once, read_act, whole_number
from api.faults import Detail
from api.forms.body import read_body
from api.forms.form import Form
from api.openapi.schemas import ref
from api.readers import Database
from api.replies import json_reply
from api.routing import Guard, Operation, Resource
from ledger.transactions.lane import LaneBounds, LaneRefused, read_bounds, set_bounds
from protocol.address import Address

_BOUNDS: Final = ("in_flight", "ceiling_gwei", "critical_ceiling_gwei")


class Lane:
    """`/admin/lane`. `account` is the one the operator sends from."""

    def __init__(self, database: Database, guard: Guard, account: Address) -> None:
        self._database = database
        self._guard = guard
        self._account = account

    def resource(self) -> Resource:
        """The routes."""
        shown = Operation(
            "GET",
            "/",
            self.show,
            "lane",
            "The bounds of sending that a person has set; null follows the settings",
            ref("LaneBounds"),
            refusals=(404, 503),
        )
        changed = Operation(
            "POST",
            "/",
            self.set,
            "setLane",
            "Let these bounds of sending count from now on; what is left out follows the settings",
            ref("LaneSet"),
            body=ref("LaneIn"),
            refusals=(404, 409, 503),
        )
        return Resource("lane", "/admin/lane", (shown, changed), guard=self._guard)

    async def show(self, _request: Request) -> HTTPResponse:
        """What counts before the settings."""
        return json_reply(_told(await self._database.read(read_bounds, self._account)))

    async def set(self, request: Request) -> HTTPResponse:
        """Set the bounds; done once for each `update_id`."""
        act, bounds = read_act(request), _read_bounds(request)

        def work(session: Session) -> bool:
            return once(lambda: set_bounds(session, self._account, act.person, bounds))

        changed = await self._database.write(work)
        return json_reply(_told(bounds) | {"changed": changed, "update_id": act.update_id})


def _read_bounds(request: Request) -> LaneBounds:
    body = read_body(request)
    form = Form(body)
    given = {name: form.take(name, whole_number) for name in _BOUNDS if body.get(name) is not None}
    form.require()
    try:
        return LaneBounds(**given)
    except LaneRefused as error:
        raise Detail(409, str(error)) from None


def _told(bounds: LaneBounds) -> dict[str, Any]:
    return {name: getattr(bounds, name) for name in _BOUNDS}
