"""Money of the pool over HTTP: covering an over-claim, claiming what has no owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

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
from ledger.interventions import Person
from ledger.unclaimed import CannotClaim, claim_unclaimed

Order: TypeAlias = Callable[[Session, str, int, Person], bool]
"""Stores an order about so many base units of a token; False if it was stored before."""


class PoolMoney:
    """`/admin/covers` and `/admin/unclaimed`."""

    def __init__(self, database: Database, guard: Guard) -> None:
        self._database = database
        self._guard = guard

    def resources(self) -> tuple[Resource, Resource]:
        """The routes."""
        claim = Operation(
            "POST",
            "/<token:WORD>",
            self.claim,
            "claimUnclaimed",
            "Let so much money without an owner become the operator's own at a checkpoint",
            ref("CoverOrdered"),
            body=ref("CoverIn"),
            refusals=(404, 409, 503),
        )
        cover = Operation(
            "POST",
            "/<token:WORD>",
            self.order,
            "cover",
            "Pay so much of a token from the operator's account into the pool",
            ref("CoverOrdered"),
            body=ref("CoverIn"),
            refusals=(404, 409, 503),
        )
        return (
            Resource("covers", "/admin/covers", (cover,), guard=self._guard),
            Resource("unclaimed", "/admin/unclaimed", (claim,), guard=self._guard),
        )

    async def order(self, request: Request, token: str) -> HTTPResponse:
        """Order a cover; done once for each `update_id`."""
        return await self._ordered(request, token, order_cover)

    async def claim(self, request: Request, token: str) -> HTTPResponse:
        """Claim unclaimed money; done once for each `update_id`."""
        return await self._ordered(request, token, claim_unclaimed)

    async def _ordered(self, request: Request, token: str, order: Order) -> HTTPResponse:
        act = read_act(request)
        form = Form(read_body(request))
        units = form.take("amount", amount)
        form.require()
        ordered = await self._database.write(_order, order, token, units or 0, act)
        answer: dict[str, Any] = {"token": token, "amount": str(units), "ordered": ordered}
        return json_reply(answer | {"update_id": act.update_id})


def _order(session: Session, order: Order, token: str, units: int, act: Act) -> bool:
    try:
        return once(lambda: order(session, token, units, act.person))
    except (CannotCover, CannotClaim) as error:
        raise Detail(409, str(error)) from None
