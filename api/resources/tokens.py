"""The operator's clock and the tokens of the commit-chain."""

from __future__ import annotations

from typing import Any

from sanic import HTTPResponse, Request

from api.faults import Unavailable
from api.openapi.schemas import array_of, ref
from api.operator import Operator
from api.replies import json_reply
from api.routing import Operation
from ledger.reading.status import OperatorStatus, find_status
from ledger.reading.tokens import list_tokens


def chain_positions(status: OperatorStatus) -> dict[str, Any]:
    """The newest and the newest confirmed block with their eons."""
    return {
        "latest": {"block": status.latest_block, "eon_number": status.latest_eon},
        "confirmed": {"block": status.confirmed_block, "eon_number": status.confirmed_eon},
    }


class Tokens:
    """`GET /audit/` and `GET /audit/tokens/`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def operations(self) -> tuple[Operation, ...]:
        """The routes."""
        return (
            Operation(
                "GET",
                "/",
                self.status,
                "operatorStatus",
                "Blocks and eons as the operator knows them",
                ref("OperatorStatus"),
                refusals=(503,),
                spelled_with_slash=True,
            ),
            Operation(
                "GET",
                "/tokens",
                self.tokens,
                "listTokens",
                "Tokens by trail; the native asset comes first",
                array_of(ref("Token")),
                refusals=(503,),
                spelled_with_slash=True,
            ),
        )

    async def position(self) -> OperatorStatus:
        """Read the operator's clock. Raises `Unavailable` before the first block was seen."""
        status = await self._operator.database.read(find_status, self._operator.rules())
        if status is None:
            raise Unavailable("the chain has not been seen yet")
        return status

    async def status(self, _request: Request) -> HTTPResponse:
        """Tell the eon that a registration signs, and the contract's constants."""
        status = await self.position()
        constants = {
            "blocks_per_eon": status.blocks_per_eon,
            "confirmation_blocks": status.confirmations,
        }
        return json_reply(chain_positions(status) | constants)

    async def tokens(self, _request: Request) -> HTTPResponse:
        """List the tokens, complete."""
        self._operator.rules()
        tokens = await self._operator.database.read(list_tokens)
        return json_reply(
            [
                {
                    "address": f"0x{token.address_text}",
                    "name": token.name,
                    "short_name": token.short_name,
                }
                for token in tokens
            ]
        )
