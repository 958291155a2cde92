"""The operator's push messages: subscribed again after every reconnect, queued with a bound."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from protocol.address import Address, checksum_address
from wallet.errors import MalformedAnswer, TimedOut

RECONNECT_S: Final = 0.5
HEARTBEAT_S: Final = 20
MOST_EVENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """One notification: the stream as the server spelled it, the event's name, its payload."""

    stream: str
    name: str
    payload: Any


def wallet_stream(token: Address, address: Address) -> str:
    """Name a wallet's stream."""
    return f"wallet/{checksum_address(token)[2:]}/{checksum_address(address)[2:]}"


class EventStream:
    """One WebSocket to an operator. Events are kept, oldest dropped, until somebody takes them."""

    def __init__(self, session: aiohttp.ClientSession, operator_url: str) -> None:
        self._session = session
        self._url = operator_url.rstrip("/").replace("http", "ws", 1) + "/ws/"
        self._streams: list[str] = []
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._changed = asyncio.Condition()
        self._acknowledged = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event, in the order of arrival."""
        self._listeners.append(listener)

    async def subscribe(self, streams: list[str], *, timeout_s: float = 10) -> None:
        """Subscribe and wait for the acknowledgement."""
        self._streams.extend(stream for stream in streams if stream not in self._streams)
        self._acknowledged.clear()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif self._socket is not None:
            await self._send_subscription(self._socket)
        try:
            async with asyncio.timeout(timeout_s):
                await self._acknowledged.wait()
        except TimeoutError as cause:
            raise TimedOut("the operator did not acknowledge the subscription") from cause

    async def wait_for(
        self,
        name: str,
        stream: str,
        *,
        timeout_s: float,
        match: Callable[[Any], bool] | None = None,
    ) -> Event:
        """Take the oldest event of that name and stream, waiting for it if need be."""

        def wanted(event: Event) -> bool:
            return (
                event.name == name
                and event.stream.lower() == stream.lower()
                and (match is None or match(event.payload))
            )

        try:
            async with asyncio.timeout(timeout_s), self._changed:
                while True:
                    for event in self._events:
                        if wanted(event):
                            self._events.remove(event)
                            return event
                    await self._changed.wait()
        except TimeoutError as cause:
            raise TimedOut(f"no {name} on {stream} within {timeout_s} s") from cause

    async def close(self) -> None:
        """Close the socket and stop reconnecting."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                async with self._session.ws_connect(
                    self._url, heartbeat=HEARTBEAT_S, max_msg_size=0
                ) as socket:
                    self._socket = socket
                    await self._send_subscription(socket)
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.TEXT:
                            await self._take(message.data)
            except aiohttp.ClientError:
                # The loop below is the answer: a stream outlives its connections.
                self._socket = None
            self._socket = None
            await asyncio.sleep(RECONNECT_S)

    async def _send_subscription(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"op": "subscribe", "args": {"streams": self._streams}})

    async def _take(self, text: str) -> None:
        try:
            message = json.loads(text)
            kind, data = message["type"], message["data"]
            if kind == "response" and data["type"] == "subscribe":
                self._acknowledged.set()
            if kind != "notification":
                return
            event = Event(data["type"], data["data"]["type"], data["data"]["data"])
        except (ValueError, KeyError, TypeError) as cause:
            raise MalformedAnswer(f"a message that is none: {text[:200]}") from cause
        async with self._changed:
            self._events.append(event)
            self._changed.notify_all()
        for listener in self._listeners:
            listener(event)
