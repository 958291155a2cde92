"""Names under which the API is reached, and proxies whose word counts."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest

from api.callers import Callers, Hosts
from api.faults import Detail
from api.policy import ApiPolicy
from tests.api.payments import admit
from tests.api.schemas import require_shape
from tests.api.serving import Site, serve
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio


class Headers(dict[str, str]):
    def getone(self, name: str, default: str) -> str:
        return self.get(name, default)


class Call:
    """A request as far as callers and hosts look at it."""

    def __init__(self, peer: str = "127.0.0.1", scheme: str = "http", **headers: str) -> None:
        self.ip, self.scheme = peer, scheme
        self.headers = Headers({name.replace("_", "-"): text for name, text in headers.items()})


PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1"))


@pytest.mark.parametrize(
    ("peer", "told", "expected"),
    [
        ("9.9.9.9", "1.1.1.1", "9.9.9.9"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.2.2.2", "1.1.1.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ", "10.0.0.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
    ],
)
async def test_the_caller_is_the_last_address_that_is_no_proxy_of_ours(
    peer: str, told: str, expected: str
) -> None:
    call: Any = Call(peer, x_forwarded_for=told, cf_connecting_ip="7.7.7.7")
    assert Callers(ApiPolicy(trusted_proxies=PROXIES)).address(call) == expected


async def test_the_header_of_a_proxy_can_be_named() -> None:
    call: Any = Call("10.0.0.1", x_forwarded_for="1.1.1.1", cf_connecting_ip="7.7.7.7")
    policy = ApiPolicy(trusted_proxies=PROXIES, caller_header="cf-connecting-ip")
    assert Callers(policy).address(call) == "7.7.7.7"


async def test_the_scheme_is_a_proxys_word_or_our_own() -> None:
    callers = Callers(ApiPolicy(trusted_proxies=PROXIES))
    for peer, told, scheme, expected in (
        ("10.0.0.1", "https, http", "http", "https"),
        ("10.0.0.1", "gopher", "http", "http"),
        ("9.9.9.9", "https", "http", "http"),
        ("9.9.9.9", "http", "https", "https"),
    ):
        call: Any = Call(peer, scheme, x_forwarded_proto=told)
        assert callers.scheme(call) == expected


@pytest.mark.parametrize(
    ("header", "is_served"),
    [
        ("hub.example.org", True),
        ("HUB.example.org:8123", True),
        ("hub.example.org.", True),
        ("example.net", True),
        ("a.b.example.net:80", True),
        ("[::1]:8123", True),
        ("evilexample.net", False),
        ("hub.example.org.evil.example", False),
        ("hub.example.org:80:80", False),
        ("", False),
    ],
)
async def test_a_host_is_served_by_its_name_without_port(header: str, is_served: bool) -> None:
    hosts = Hosts(["Hub.example.org", ".example.net", "[::1]"])
    call: Any = Call(host=header)
    if is_served:
        hosts.require(call)
    else:
        with pytest.raises(Detail):
            hosts.require(call)
    Hosts(["*"]).require(call)


async def test_another_host_gets_400_everywhere_but_from_probes(
    database_url: str, ledger: World
) -> None:
    policy = ApiPolicy(allowed_hosts=frozenset({"hub.example.org", "127.0.0.1"}))
    async with serve(database_url, lambda _session: ledger.rules, policy) as site:
        evil = {"Host": "evil.example"}
        for path in ("/audit/", "/swagger/", "/analytics/wallets"):
            status, answer = await site.get(path, headers=evil)
            assert status == 400, path
            require_shape("Detail", answer)
        assert (await site.get("/health/live", headers=evil))[0] == 200
        assert (await site.get("/audit/", headers={"Host": "hub.example.org"}))[0] == 200
        async with site.session.ws_connect(site.url + "/ws/", headers=evil) as socket:
            message = await socket.receive(timeout=5)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_a_page_is_linked_in_the_scheme_that_a_proxy_tells(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=10), admit(ledger, "bob")
    for _ in range(2):
        _, answer = await site.post("/transfer/", alice.body(bob, 1))
        alice.accept(bob, answer)
    told = {"X-Forwarded-Proto": "https", "Host": "localhost"}
    _, page = await site.get("/audit/transactions?limit=1", headers=told)
    assert page["next"] == "https://localhost/audit/transactions/?limit=1&offset=1"
