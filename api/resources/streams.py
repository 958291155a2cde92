"""The WebSocket at `/ws/`: accepts everybody, says nothing unasked, stays open."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sanic import Request, Websocket
from sanic.exceptions import WebsocketClosed

from api.faults import Detail, Fault
from api.forms.fields import find_address
from api.limits import Buckets
from api.operator import Operator
from api.replies import request_id, to_json
from api.resources.tokens import Tokens, chain_positions
from api.resources.wallets import Wallets
from api.routing import Door
from api.streams.connection import Connection
from api.streams.operations import Operations
from logs import bind
from protocol.address import Address

POLICY_VIOLATION: Final = 1008
TRY_AGAIN_LATER: Final = 1013
FRAMES_PER_S: Final = 50.0
PARTING_S: Final = 3.0
"""Far above a round trip; the rest of the drain belongs to requests that are being answered."""
FIRST_EON: Final = 1
LARGEST_EON: Final = 2**62


class Streams:
    """Serves connections; `get` answers what the HTTP routes answer."""

    def __init__(self, operator: Operator, door: Door, tokens: Tokens, wallets: Wallets) -> None:
        self._operator = operator
        self._door = door
        self._tokens = tokens
        self._wallets = wallets
        self._connections: set[Connection] = set()
        self._is_stopping = False
        self._deserted = asyncio.Event()

    async def serve(self, request: Request, socket: Websocket) -> None:
        """Serve one connection until it ends."""
        with bind(request_id=request_id(request)):
            await self._serve(request, socket)

    async def _serve(self, request: Request, socket: Websocket) -> None:
        try:
            self._door.hosts.require(request)
            self._door.limits.require(request)
        except Fault as fault:
            code = TRY_AGAIN_LATER if fault.status == 429 else POLICY_VIOLATION
            await socket.close(code, fault.body["detail"])
            return
        if self._is_stopping or len(self._connections) >= self._operator.policy.socket_limit:
            await socket.close(TRY_AGAIN_LATER, "too many connections")
            return
        self._door.metrics.sockets.inc()
        frames = Buckets(FRAMES_PER_S)
        connection = Connection(socket)
        self._connections.add(connection)
        operations = Operations(self._operator.hub, connection, self._get)
        writer = asyncio.create_task(connection.write())
        try:
            while (frame := await socket.recv()) is not None:
                # Who sends more is read more slowly: a dropped connection would lose events.
                await asyncio.sleep(frames.take(None))
                await operations.handle(frame)
        except WebsocketClosed:
            return
        finally:
            self._connections.discard(connection)
            if self._is_stopping and not self._connections:
                self._deserted.set()
            self._door.metrics.sockets.dec()
            operations.close()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def stop(self) -> None:
        """Send everybody a close frame, and cut the line of those who do not answer it in time."""
        self._is_stopping = True
        if not self._connections:
            return
        parting = [asyncio.create_task(one.part()) for one in self._connections]
        try:
            async with asyncio.timeout(PARTING_S):
                await asyncio.gather(*parting, return_exceptions=True)
                await self._deserted.wait()
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.abort()

    async def _get(self, resource: str, parameters: dict[str, Any]) -> str:
        if resource == "operator":
            return to_json(chain_positions(await self._tokens.position()))
        if resource != "wallet":
            raise Detail(404, "unknown resource")
        eon = parameters.get("eon_number")
        if isinstance(eon, bool) or not isinstance(eon, int):
            raise Detail(400, "eon_number must be an integer")
        if eon < 0:
            eon = max((await self._tokens.position()).latest_eon + eon, FIRST_EON)
        token = _address(parameters, "token_address")
        wallet = _address(parameters, "wallet_address")
        return await self._wallets.render_state(token, wallet, min(eon, LARGEST_EON))


def _address(parameters: dict[str, Any], name: str) -> Address:
    spelled = parameters.get(name)
    address = find_address(spelled) if isinstance(spelled, str) else None
    if address is None:
        raise Detail(400, f"{name} must have 40 hexadecimal digits")
    return address
