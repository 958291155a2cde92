"""A client that costs next to nothing: keep-alive HTTP/1.1 over a bare asyncio protocol."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class Answer(NamedTuple):
    """An answer's status and body."""

    status: int
    body: bytes


class ConnectionClosed(ConnectionError):
    """The server closed the connection with a request unanswered."""


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._waiting: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connect to a server."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def send(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a complete request; the future is its answer."""
        if self._transport is None:
            raise ConnectionClosed("not connected")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect an answer and hand it over when it is complete."""
        received = self._received + data
        head, end, body = received.partition(_HEAD_END)
        if not end or len(body) < _content_length(head):
            self._received = received
            return
        self._received = b""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionClosed("closed by the server"))


def post(path: str, body: bytes) -> bytes:
    """Write a complete POST request with a JSON body."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(_LENGTH) + len(_LENGTH)
    line, _, _ = lowered[start:].partition(b"\r\n")
    return int(line)
