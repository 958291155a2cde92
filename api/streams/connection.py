"""One WebSocket: a bounded queue of messages that leave in order, and the streams it holds."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from sanic import Websocket
from sanic.exceptions import WebsocketClosed

from logs import get_logger

QUEUED_MESSAGES_LIMIT: Final = 5_000
QUEUED_BYTES_LIMIT: Final = 8 * 1024 * 1024
GOING_AWAY: Final = 1001
LARGEST_LONE_MESSAGE_BYTES: Final = 64 * 1024 * 1024

log = get_logger(__name__)


class Connection:
    """A connection's queue and its writer.

    A reader too slow for its queue is dropped: keeping its messages would cost everybody memory,
    and dropping some of them would leave it with a false picture.
    """

    def __init__(self, socket: Websocket) -> None:
        self._socket = socket
        self._queue: deque[str] = deque()
        self._queued_bytes = 0
        self._filled = asyncio.Event()
        self._is_dropped = False
        self.streams: dict[str, None] = {}

    def push(self, text: str) -> None:
        """Queue a message, or drop the connection if too much is waiting already."""
        if self._is_dropped:
            return
        lags = len(self._queue) >= QUEUED_MESSAGES_LIMIT or (
            self._queue and self._queued_bytes + len(text) > QUEUED_BYTES_LIMIT
        )
        if lags or len(text) > LARGEST_LONE_MESSAGE_BYTES:
            self._drop()
            return
        self._queue.append(text)
        self._queued_bytes += len(text)
        self._filled.set()

    async def write(self) -> None:
        """Send what is queued until the connection ends; run it as a task."""
        while not self._is_dropped:
            await self._filled.wait()
            self._filled.clear()
            while self._queue and not self._is_dropped:
                text = self._queue[0]
                try:
                    await self._socket.send(text)
                except WebsocketClosed:
                    return
                if self._queue:
                    self._queue.popleft()
                    self._queued_bytes -= len(text)

    async def part(self) -> None:
        """Send a close frame; the client's own ends the connection."""
        await self._socket.close(GOING_AWAY)

    def _drop(self) -> None:
        log.warning("a slow reader was dropped", queued=len(self._queue))
        self.abort()

    def abort(self) -> None:
        """Cut the line, whatever is still to be sent."""
        self._is_dropped = True
        self._queue.clear()
        self._queued_bytes = 0
        self._filled.set()
        protocol = self._socket.io_proto
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()
