"""Covering an over-claim over HTTP: an order that the duties carry out."""

from __future__ import annotations

from typing import Any

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.administration.acts import Act, once, read_act
from api.faults import Detail
from api.forms.body import read_body
from api.forms.fields import amount
from api.forms.form import Form
from api.openapi.schemas import ref
from api.readers import Database
from api.replies import json_reply
from api.routing import Guard, Operation, Resource
from ledger.covers import CannotCover, order_cover


class Covers:
    """`/admin/covers`."""

    def __init__(self, database: Database, guard: Guard) -> None:
        self._database = database
        self._guard = guard

    def resource(self) -> Resource:
        """The route."""
        operation = Operation(
            "POST",
            "/<token:WORD>",
            self.order,
            "cover",
            "Pay so much of a token from the operator's account into the pool",
            ref("CoverOrdered"),
            body=ref("CoverIn"),
            refusals=(404, 409, 503),
        )
        return Resource("covers", "/admin/covers", (operation,), guard=self._guard)

    async def order(self, request: Request, token: str) -> HTTPResponse:
        """Order a cover; done once for each `update_id`."""
        act = read_act(request)
        form = Form(read_body(request))
        units = form.take("amount", amount)
        form.require()
        ordered = await self._database.write(_order, token, units or 0, act)
        answer: dict[str, Any] = {"token": token, "amount": str(units), "ordered": ordered}
        return json_reply(answer | {"update_id": act.update_id})


def _order(session: Session, token: str, units: int, act: Act) -> bool:
    try:
        return once(lambda: order_cover(session, token, units, act.person))
    except CannotCover as error:
        raise Detail(409, str(error)) from None
