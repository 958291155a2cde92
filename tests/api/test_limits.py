"""How often one caller and one wallet may ask."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from api.limits import BURST_S, Buckets
from api.policy import ApiPolicy
from tests.api.payments import admission_body, admit
from tests.api.schemas import require_shape
from tests.api.serving import Site, serve
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio


def from_address(number: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"203.0.113.{number}"}


async def test_a_bucket_fills_at_its_rate_and_holds_ten_seconds_worth() -> None:
    now = [0.0]
    buckets = Buckets(2.0, lambda: now[0])
    most = int(2 * BURST_S)
    assert [buckets.take("a") for _ in range(most)] == [0.0] * most
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0.0, "others are not held up"
    now[0] += 0.5
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0
    now[0] += 1000
    assert [buckets.take("a") for _ in range(most + 1)][-1] > 0
    assert Buckets(0.0).take("a") == 0.0


async def test_who_asks_too_often_is_told_when_to_come_again(
    database_url: str, ledger: World
) -> None:
    policy = ApiPolicy(peer_rate=0.5)
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        answers = [await site.get("/sla/", headers=from_address(1)) for _ in range(6)]
        assert [status for status, _ in answers] == [200] * 5 + [429]
        require_shape("Detail", answers[-1][1])
        async with site.session.get(site.url + "/sla/", headers=from_address(1)) as refused:
            assert 1 <= int(refused.headers["Retry-After"]) <= 2
        assert (await site.get("/sla/", headers=from_address(2)))[0] == 200
        for _ in range(10):
            assert (await site.get("/sla/"))[0] == 200, "our own machine is not counted"
        for _ in range(10):
            assert (await site.get("/livez", headers=from_address(1)))[0] == 200
        async with site.session.ws_connect(site.url + "/ws/", headers=from_address(1)) as socket:
            message = await socket.receive(timeout=5)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1013)


async def test_a_wallets_payments_and_an_addresss_registrations_are_counted(
    database_url: str, ledger: World
) -> None:
    policy = ApiPolicy(wallet_rate=0.2, registration_rate=0.1)
    alice, bob = admit(ledger, "alice", deposit=9), admit(ledger, "bob")

    async def send(site: Site, path: str, body: Any, number: int) -> int:
        status, answer = await site.call("POST", path, json=body, headers=from_address(number))
        if path == "/transfer/" and status == 201:
            alice.accept(bob, answer)
        return status

    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        # From wherever they come: the wallet is what counts.
        paid = [await send(site, "/transfer/", alice.body(bob, 0), n) for n in range(3)]
        assert paid == [201, 201, 429]
        bodies = [admission_body(ledger, name) for name in ("carol", "dave")]
        assert [await send(site, "/admission/", body, 9) for body in bodies] == [201, 429]


async def test_a_socket_that_talks_too_much_is_read_more_slowly_and_stays(site: Site) -> None:
    async with site.socket() as socket:
        for _ in range(520):
            await socket.send("ping")
        for _ in range(520):
            assert (await socket.receive())["type"] == "response"
