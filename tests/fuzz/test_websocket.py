"""Whatever is said over the WebSocket: an answer or an error, never a lost connection."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.api.schemas import require_shape
from tests.api.serving import Site, Socket
from tests.ledger.world import ETH, World, key, text_of

pytestmark = pytest.mark.asyncio
FRAMES_A_CASE = 20
STREAM = f"wallet/{text_of(ETH)}/{text_of(key('alice').address)}"


def anything(chance: random.Random, depth: int = 0) -> Any:
    """A JSON value of any kind."""
    kind = chance.randrange(9 if depth < 3 else 6)
    if kind >= 7:
        return [anything(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 6:
        return {text(chance): anything(chance, depth + 1) for _ in range(chance.randrange(4))}
    return (None, True, chance.randrange(-(2**70), 2**70), 1.5, text(chance), "")[kind]


def text(chance: random.Random) -> str:
    """A word of the protocol, or none."""
    words = ("op", "args", "streams", "resource", "params", "wallet", "operator", "*", STREAM)
    odd = "".join(chr(chance.choice((0, 34, 47, 65, 0x20AC, 0x1F4A9))) for _ in range(5))
    return chance.choice((*words, odd))


def frame(chance: random.Random) -> str | bytes:
    """A frame: well formed, nearly so, or not at all."""
    kind = chance.randrange(6)
    if kind == 0:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(50)))
    if kind == 1:
        return "".join(chr(chance.randrange(32, 127)) for _ in range(chance.randrange(60)))
    if kind == 2:
        return "[" * chance.randrange(2_000)
    op = chance.choice(("subscribe", "unsubscribe", "ping", "get", "ack", text(chance)))
    if kind == 3:
        return json.dumps({"op": op, "args": anything(chance)})
    names = [chance.choice((STREAM, STREAM.lower(), text(chance))) for _ in range(3)]
    parameters = {
        "wallet_address": chance.choice((text_of(key("alice").address), anything(chance))),
        "token_address": chance.choice((text_of(ETH), anything(chance))),
        "eon_number": chance.choice((1, -1, anything(chance))),
    }
    return json.dumps(
        {
            "op": op,
            "args": {
                "streams": chance.choice((names, anything(chance))),
                "resource": chance.choice(("wallet", "operator", text(chance))),
                "params": chance.choice((parameters, anything(chance))),
            },
        }
    )


async def is_alive(socket: Socket) -> bool:
    """Whether a ping is answered after all that was answered before; those have known shapes."""
    await socket.send("ping")
    while True:
        message = await socket.receive()
        kind = message["type"]
        assert kind in ("response", "error"), message
        require_shape({"response": "WsResponse", "error": "WsError"}[kind], message)
        if message == {"type": "response", "data": {"type": "ping", "data": "pong"}}:
            return True


async def test_no_frame_ends_a_connection(site: Site, ledger: World, cases: int) -> None:
    ledger.admit("alice")
    chance = random.Random(1)
    async with site.socket() as socket:
        for _ in range(cases):
            for _ in range(FRAMES_A_CASE):
                given = frame(chance)
                if isinstance(given, bytes):
                    await socket.raw.send_bytes(given)
                else:
                    await socket.raw.send_str(given)
            assert await is_alive(socket)
            # Pings among the frames were answered too: nothing of them is left over.
            while not await socket.silent():
                continue
