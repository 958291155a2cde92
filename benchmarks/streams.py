"""Whether everybody who listens is told of every payment, once, in order, and how soon."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from benchmarks.transfers import Measured, Place, Stage

CONNECTING_AT_ONCE: Final = 50
LAST_ARRIVAL_S: Final = 15.0
LOOK_S: Final = 0.5
SPARE_FILES: Final = 256
EVENT: Final = "TRANSFER_CONFIRMATION"


class WrongMessage(RuntimeError):
    """A subscriber was told something that it did not subscribe to."""


@dataclass(slots=True)
class Subscriber:
    """One socket that listens to one wallet; `told` are transfers' ids with times of arrival."""

    stream: str
    pair: int
    told: list[tuple[int, float]] = field(default_factory=list)

    async def subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Subscribe and wait for the acknowledgement."""
        await socket.send_json({"op": "subscribe", "args": {"streams": [self.stream]}})
        answer = await socket.receive_json()
        if answer["type"] != "response" or answer["data"]["data"]["streams"] != [self.stream]:
            raise WrongMessage(f"the subscription was answered with {answer}")

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Note what arrives until the socket is closed."""
        async for message in socket:
            arrived = time.perf_counter()
            data = json.loads(message.data)["data"]
            if data["type"].lower() != self.stream or data["data"]["type"] != EVENT:
                raise WrongMessage(f"{self.stream} was told {message.data[:300]}")
            self.told.append((data["data"]["data"]["id"], arrived))


@dataclass(slots=True)
class Telling:
    """What was paid, when each payment was due, and what each subscriber was told."""

    paid: Measured
    due: list[list[float]]
    subscribers: list[Subscriber]

    @property
    def messages(self) -> int:
        """Notifications that arrived."""
        return sum(len(one.told) for one in self.subscribers)

    def latencies_s(self) -> list[float]:
        """Seconds from when each payment was due to the arrival of each notification, ascending."""
        due = {
            number: moment
            for numbers, moments in zip(self._ids(), self.due, strict=True)
            for number, moment in zip(numbers, moments, strict=False)
        }
        told = (pair for one in self.subscribers for pair in one.told)
        return sorted(arrived - due[number] for number, arrived in told if number in due)

    def faults(self) -> list[str]:
        """Who was not told exactly the payments of its wallet, each once and in their order."""
        ids, faults = self._ids(), []
        for one in self.subscribers:
            heard = [number for number, _ in one.told]
            if heard != ids[one.pair]:
                missing, extra = set(ids[one.pair]) - set(heard), len(heard) - len(set(heard))
                faults.append(
                    f"{one.stream}: {len(missing)} missing, {extra} repeated, "
                    f"{len(heard)} told of {len(ids[one.pair])}"
                )
        return faults

    def _ids(self) -> list[list[int]]:
        return [[json.loads(body)["id"] for body in answers] for answers in self.paid.answers]


async def run(
    host: str,
    port: int,
    place: Place,
    plans: Sequence[Sequence[bytes]],
    *,
    count: int,
    rate: float,
    begin: Callable[[], None],
) -> Telling:
    """Let `count` subscribers listen while the pairs pay `rate` times a second, all together.

    Wallets of the pairs are listened to in turn; with more subscribers than wallets several
    listen to one. `begin` is called once all are connected, before the first payment.
    """
    _allow_files(count + len(plans) + SPARE_FILES)
    subscribers = [_subscriber(place, number, len(plans)) for number in range(count)]
    async with AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        sockets = await _connect(session, f"http://{host}:{port}/ws/", subscribers)
        listening = [
            asyncio.create_task(one.listen(socket))
            for one, socket in zip(subscribers, sockets, strict=True)
        ]
        stage = await Stage.open(host, port, plans)
        begin()
        due, elapsed_s = await _pay(stage, rate)
        telling = Telling(stage.close(elapsed_s), due, subscribers)
        await _hear_out(telling, listening)
        await asyncio.gather(*(socket.close() for socket in sockets))
        await asyncio.gather(*listening)
    return telling


def _subscriber(place: Place, number: int, pairs: int) -> Subscriber:
    wallet = number % (2 * pairs)
    address = place.purse(wallet).address
    return Subscriber(f"wallet/{place.contract.hex()}/{address.hex()}", wallet // 2)


async def _connect(
    session: aiohttp.ClientSession, url: str, subscribers: Sequence[Subscriber]
) -> list[aiohttp.ClientWebSocketResponse]:
    room = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def connect(one: Subscriber) -> aiohttp.ClientWebSocketResponse:
        async with room:
            socket = await session.ws_connect(url)
            await one.subscribe(socket)
            return socket

    return list(await asyncio.gather(*map(connect, subscribers)))


async def _pay(stage: Stage, rate: float) -> tuple[list[list[float]], float]:
    """Send all plans, evenly in time; returns when each request was due, and the seconds taken.

    A pair sends its next request once the last is answered. One that is late for that counts
    from when it was due.
    """
    pairs, begun = len(stage.plans), time.perf_counter()
    due: list[list[float]] = [[] for _ in stage.plans]

    async def pay(number: int) -> None:
        for turn, request in enumerate(stage.plans[number]):
            moment = begun + (turn * pairs + number) / rate
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            due[number].append(moment)
            await stage.send(number, request)

    await asyncio.gather(*(pay(number) for number in range(pairs)))
    return due, time.perf_counter() - begun


async def _hear_out(telling: Telling, listening: Sequence[asyncio.Task[None]]) -> None:
    """Wait until everybody has been told, or it has taken too long; then a little more.

    Whatever would be told twice has its time so.
    """
    expected = sum(len(telling.paid.answers[one.pair]) for one in telling.subscribers)
    deadline = time.perf_counter() + LAST_ARRIVAL_S
    late = True
    while late and time.perf_counter() < deadline:
        late = telling.messages < expected
        ended, _ = await asyncio.wait(
            listening, timeout=LOOK_S, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in ended:
            task.result()


def _allow_files(needed: int) -> None:
    """Every socket is a file of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))
