"""What a client asks over a WebSocket: subscribe, unsubscribe, ping, get."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from api.faults import Fault
from api.forms.body import parse_json
from api.replies import to_json
from api.streams.connection import Connection
from api.streams.hub import Hub, stream_key
from api.streams.messages import error, response

STREAMS_LIMIT: Final = 1000
ECHO_LIMIT: Final = 200
EVERYTHING: Final = "*"
PONG: Final = response("ping", '"pong"')
Getter = Callable[[str, dict[str, Any]], Awaitable[str]]
"""Answers `get` for a resource and its parameters with JSON; raises `Fault`."""


class Operations:
    """The operations of one connection. Frames are handled one after the other, in their order."""

    def __init__(self, hub: Hub, connection: Connection, get: Getter) -> None:
        self._hub = hub
        self._connection = connection
        self._get = get

    async def handle(self, frame: str | bytes) -> None:
        """Handle a frame. A malformed one is answered with an error, an unknown `op` too."""
        if not isinstance(frame, str):
            self._refuse("binary frames are not read", "null")
            return
        try:
            request = parse_json(frame)
        except ValueError:
            self._refuse("not JSON", to_json(frame))
            return
        operation = request.get("op") if isinstance(request, dict) else None
        arguments = request.get("args") if isinstance(request, dict) else None
        if not isinstance(operation, str) or not isinstance(arguments, dict):
            self._refuse("op must be a string and args an object", frame)
        elif operation == "ping":
            self._connection.push(PONG)
        elif operation in ("subscribe", "unsubscribe"):
            self._change(operation, arguments, frame)
        elif operation == "get":
            await self._answer(arguments, frame)
        else:
            self._refuse(f"unknown op: {operation[:ECHO_LIMIT]}", frame)

    def close(self) -> None:
        """End every subscription."""
        self._hub.unsubscribe(self._connection.streams, self._connection)
        self._connection.streams.clear()

    def _change(self, operation: str, arguments: dict[str, Any], frame: str) -> None:
        names = arguments.get("streams")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._refuse("streams must be an array of strings", frame)
            return
        if operation == "unsubscribe" and EVERYTHING in names:
            self.close()
            self._connection.push(response(operation, '{"streams":["*"]}'))
            return
        held = self._connection.streams
        keys = {name: stream_key(name) for name in names}
        wanted = held.keys() | {key for key in keys.values() if key}
        if len(names) > STREAMS_LIMIT or (operation == "subscribe" and len(wanted) > STREAMS_LIMIT):
            self._refuse(f"more than {STREAMS_LIMIT} streams", frame)
            return
        good = [
            name
            for name in names
            if keys[name] and (operation == "subscribe" or keys[name] in held)
        ]
        known = set(good)
        for name in names:
            if name not in known:
                reason = "unknown stream name" if keys[name] is None else "not subscribed to"
                self._refuse(f"{reason}: {name[:ECHO_LIMIT]}", frame)
        for name in good:
            self._set(operation, str(keys[name]))
        self._connection.push(response(operation, to_json({"streams": good})))

    def _set(self, operation: str, key: str) -> None:
        if operation == "subscribe":
            self._connection.streams[key] = None
            self._hub.subscribe(key, self._connection)
        else:
            self._connection.streams.pop(key, None)
            self._hub.unsubscribe([key], self._connection)

    async def _answer(self, arguments: dict[str, Any], frame: str) -> None:
        resource, parameters = arguments.get("resource"), arguments.get("params")
        if not isinstance(resource, str) or not isinstance(parameters, dict):
            self._refuse("resource must be a string and params an object", frame)
            return
        try:
            data = await self._get(resource, parameters)
        except Fault as fault:
            self._refuse(_first_message(fault.body), frame)
            return
        self._connection.push(response(resource, data))

    def _refuse(self, message: str, cause: str) -> None:
        self._connection.push(error(message, cause))


def _first_message(body: Any) -> str:
    return str(body["detail"]) if isinstance(body, dict) and "detail" in body else to_json(body)
