"""Who listens to what in this process, and the one way by which notifications reach them.

A transfer's answer waits here until its notifications have gone to this process's sockets. They
come through the listener like every other, so that a wallet hears its events in one order.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

STREAM: Final = re.compile(r"(?:wallet|tokenpair)/[0-9a-f]{40}/[0-9a-f]{40}", re.ASCII)
TOLD_TRANSFERS_KEPT: Final = 20_000


class Subscriber(Protocol):
    """A connection as the hub sees it."""

    def push(self, text: str) -> None:
        """Queue a message; a connection that lags too far behind is dropped instead."""


@dataclass(frozen=True, slots=True)
class Push:
    """A message for a stream, named in lower case."""

    stream: str
    text: str


def stream_key(name: str) -> str | None:
    """The lower-case form of a stream's name, None if it is no name of a stream."""
    key = name.lower()
    return key if STREAM.fullmatch(key) else None


class Hub:
    """The subscriptions of one process. Everything but reading names runs in the event loop."""

    def __init__(self) -> None:
        self._subscribers: dict[str, dict[Subscriber, None]] = {}
        self._told: set[int] = set()
        self._told_in_order: deque[int] = deque()
        self._waiting: dict[int, asyncio.Event] = {}
        self.is_listening = False
        """Whether notifications arrive; set by the listener."""

    @property
    def is_idle(self) -> bool:
        """Whether nobody listens to anything."""
        return not self._subscribers

    def has(self, stream: str) -> bool:
        """Whether somebody listens to `stream` (lower case). Any thread may ask."""
        return stream in self._subscribers

    def streams(self) -> list[str]:
        """The streams that somebody listens to. Any thread may ask."""
        return list(self._subscribers)

    def subscribe(self, stream: str, subscriber: Subscriber) -> None:
        """Tell `subscriber` of every later event of `stream` (lower case), once each."""
        self._subscribers.setdefault(stream, {})[subscriber] = None

    def unsubscribe(self, streams: Iterable[str], subscriber: Subscriber) -> None:
        """Stop telling; streams that are not held do not matter."""
        for stream in streams:
            subscribers = self._subscribers.get(stream)
            if subscribers is None:
                continue
            subscribers.pop(subscriber, None)
            if not subscribers:
                del self._subscribers[stream]

    def deliver(self, pushes: Sequence[Push], transfers: Sequence[int] = ()) -> None:
        """Hand messages to the sockets in this order; `transfers` are told with them."""
        for push in pushes:
            for subscriber in tuple(self._subscribers.get(push.stream, ())):
                subscriber.push(push.text)
        for transfer_id in transfers:
            self._told.add(transfer_id)
            self._told_in_order.append(transfer_id)
            waiting = self._waiting.get(transfer_id)
            if waiting is not None:
                waiting.set()
        while len(self._told_in_order) > TOLD_TRANSFERS_KEPT:
            self._told.discard(self._told_in_order.popleft())

    async def until_told(self, transfer_id: int, streams: Iterable[str], timeout_s: float) -> None:
        """Wait until the transfer's notifications went to those here who listen to `streams`.

        Returns at once if nobody does, and after `timeout_s` in any case: a push may be late, the
        answer to a payment that is committed may not.
        """
        if not self.is_listening or not any(
            stream.lower() in self._subscribers for stream in streams
        ):
            return
        if transfer_id in self._told:
            return
        told = self._waiting.setdefault(transfer_id, asyncio.Event())
        try:
            async with asyncio.timeout(timeout_s):
                await told.wait()
        except TimeoutError:
            return
        finally:
            self._waiting.pop(transfer_id, None)
