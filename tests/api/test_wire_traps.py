"""What wallets depend on without saying so, on every route and in every message that has it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.policy import BODY_LIMIT_BYTES, ApiPolicy
from tests.api.conftest import ORIGIN
from tests.api.payments import Payer, admission_body, admit
from tests.api.schemas import require_shape
from tests.api.serving import Site, serve
from tests.api.test_agreements import Customer
from tests.api.test_orders import body_of, post, put
from tests.api.test_payments import codes
from tests.ledger.world import ETH, ETHER, LQD, World, key, text_of
from tests.orders.market import Market

pytestmark = pytest.mark.asyncio
ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{40}")
NUMBERS_OF_THE_WIRE = frozenset(
    {"id", "eon_number", "time", "block", "tx_set_index", "trail_identifier", "trail", "count"}
)


def addresses(value: Any) -> set[str]:
    """Every address and stream's part in a message, without `0x`."""
    if isinstance(value, dict):
        return set().union(*map(addresses, value.values()))
    if isinstance(value, list):
        return set().union(*map(addresses, value))
    if not isinstance(value, str):
        return set()
    return {part.removeprefix("0x") for part in value.split("/") if ADDRESS.fullmatch(part)}


def numbers(value: Any, name: str = "") -> Iterator[str]:
    """The names of members that are JSON numbers."""
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from numbers(one, inner)
    elif isinstance(value, list):
        for one in value:
            yield from numbers(one, name)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        assert isinstance(value, int), f"{name} is no integer"
        yield name


async def test_every_reading_is_served_in_both_spellings_without_a_redirect(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    _, sent = await site.post("/transfer/", alice.body(bob, 1))
    _, document = await site.get("/swagger/openapi.json")
    examples = {
        "eon": "1",
        "token": "0x" + text_of(ETH),
        "left": text_of(ETH),
        "right": text_of(LQD),
        "wallet": "0x" + text_of(alice.key.address),
        "number": str(sent["id"]),
    }
    read = 0
    for path, operations in document["paths"].items():
        if "get" not in operations or path.startswith("/admin") or "{document}" in path:
            continue
        bare = path.rstrip("/").format(**examples)
        answers = []
        for spelled in (bare, bare + "/"):
            async with site.session.get(site.url + spelled, allow_redirects=False) as response:
                answers.append((response.status, await response.text()))
        assert answers[0] == answers[1], path
        # Alice has no agreement; everything else is there.
        assert answers[0][0] == (404 if bare.startswith("/sla/") else 200), path
        read += 1
    assert read > 15


async def test_a_wallet_is_named_everywhere_as_it_was_registered(site: Site, ledger: World) -> None:
    lower = text_of(key("alice").address).lower()
    upper = text_of(key("bob").address).upper()
    bodies = [
        admission_body(ledger, "alice") | {"address": "0x" + lower, "token": text_of(ETH).lower()},
        admission_body(ledger, "bob") | {"address": upper},
    ]
    stream = f"wallet/{text_of(ETH)}/{lower}"
    async with site.socket(stream, f"wallet/{text_of(ETH).upper()}/{upper.lower()}") as socket:
        for body in bodies:
            assert (await site.post("/admission/", body))[0] == 201
        told = [await socket.event() for _ in bodies]
        ledger.deposit("alice", 100)
        told.append(await socket.event())
        alice, bob = _payers(told, ledger)
        body = alice.body(bob, 1)
        body["wallet"]["address"] = "0x" + text_of(key("alice").address)
        status, sent = await site.post("/transfer/", body)
        assert status == 201, sent
        told += [await socket.event() for _ in range(2)]
    assert {name for name, _, _ in told} == {stream, f"wallet/{text_of(ETH)}/{upper}"}
    places = (
        f"/audit/{text_of(ETH)}/{text_of(key('alice').address)}/whois",
        f"/audit/1/{text_of(ETH).lower()}/{upper.lower()}/",
        f"/audit/transactions/{sent['id']}",
        f"/audit/transactions?search={lower.upper()}",
    )
    found = [sent, *told, *[(await site.get(place))[1] for place in places]]
    assert addresses(json.loads(json.dumps(found))) == {text_of(ETH), lower, upper}


def _payers(told: list[tuple[str, str, Any]], ledger: World) -> list[Payer]:
    trails = [payload["trail_identifier"] for _, _, payload in told[:2]]
    names = zip(("alice", "bob"), trails, strict=True)
    return [Payer(name, trail, ledger.eon) for name, trail in names]


async def test_money_is_text_and_only_counts_and_times_are_numbers(
    site: Site, market: Market
) -> None:
    market.trader("maker", lqd=900)
    market.trader("taker", eth=200)
    alice, bob = admit(market.world, "alice", deposit=9 * 10**21), admit(market.world, "bob")
    market.world.request_withdrawal("alice", 1)
    assert (await site.post("/transfer/", alice.body(bob, 2 * 10**21)))[0] == 201
    row = await post(site, market, "maker", 900, 300, sold=LQD)
    await post(site, market, "taker", 200, 600)
    market.match()
    pair = f"/audit/{text_of(ETH)}/{text_of(LQD)}"
    seen: set[str] = set()
    for path in (
        "/audit/transactions?limit=1000",
        f"/audit/transactions/{row}",
        f"/audit/1/{text_of(ETH)}/{text_of(key('alice').address)}",
        f"/audit/1/{text_of(ETH)}/{text_of(key('taker').address)}",
        f"{pair}/orderbook",
        f"{pair}/matches?start_time=0&end_time=9999999999",
        "/audit/tokens",
    ):
        status, answer = await site.get(path)
        assert status == 200 and "e+" not in json.dumps(answer).lower(), path
        seen |= set(numbers(answer))
    assert seen <= NUMBERS_OF_THE_WIRE, seen - NUMBERS_OF_THE_WIRE


async def test_an_order_is_read_with_exponents_and_in_any_letter_case(
    site: Site, market: Market
) -> None:
    market.trader("t", eth=3 * 10**21)
    request = market.request("t", 3 * 10**21, 12 * 10**21)
    body = body_of(request, amount="3e+21", amount_swapped="1.2e+22", nonce=request.nonce)
    body["eon_number"] = str(request.eon)
    for side in ("wallet", "recipient"):
        body[side] = {name: "0x" + spelled.lower() for name, spelled in body[side].items()}
    for changed, expected in (
        ({"amount_swapped": "12.5"}, "max_decimal_places"),
        ({"amount_swapped": "1e-7"}, "max_decimal_places"),
        ({"amount_swapped": "1e+90"}, "max_digits"),
    ):
        status, refused = await site.post("/swap/", body | changed)
        assert (status, codes(refused)) == (400, {"amount_swapped": [expected]})
    status, answer = await site.post("/swap/", body)
    assert status == 201, answer
    assert (answer["amount"], answer["amount_swapped"]) == (str(3 * 10**21), str(12 * 10**21))
    assert answer["wallet"]["address"] == "0x" + text_of(key("t").address)


async def test_an_order_is_ended_only_at_its_exact_path(site: Site, market: Market) -> None:
    market.trader("t", eth=300)
    order = await post(site, market, "t", 300, 900)
    for path in ("freezes", "finalizer", "freeze/now", "cancel.json"):
        assert (await put(site, f"/swap/{order}/{path}", {}))[0] in (404, 405), path


async def test_simultaneous_orders_with_one_nonce_leave_one(site: Site, market: Market) -> None:
    market.trader("t", eth=300)
    body = body_of(market.request("t", 300, 900))
    answers = await asyncio.gather(*(site.post("/swap/", body) for _ in range(4)))
    statuses = sorted(status for status, _ in answers)
    assert statuses == [201, 400, 400, 400]
    refused = {json.dumps(codes(answer)) for status, answer in answers if status == 400}
    assert refused == {'{"non_field_errors": ["unique", "unique"]}'}


async def test_simultaneous_purchases_make_one_agreement(site: Site, ledger: World) -> None:
    customer = Customer(site, ledger)
    paid = [await customer.pay(ETHER) for _ in range(2)]
    answers = await asyncio.gather(*(customer.buy(number) for number in [*paid, *paid]))
    assert sorted(status for status, _ in answers) == [201, 400, 400, 400]
    status, agreement = await site.get(customer.path)
    assert status == 200
    require_shape("Sla", agreement)


async def test_refusals_of_every_kind_are_readable_by_browsers(
    database_url: str, ledger: World
) -> None:
    """An answer without the origin is no answer to a page: it sees a broken connection."""
    policy = ApiPolicy(allowed_origins=frozenset({ORIGIN}))
    async with serve(database_url, lambda _session: None, policy, ready=False) as site:
        headers = {"Origin": ORIGIN}
        large = b" " * (BODY_LIMIT_BYTES + 1)
        for status, method, path, more in (
            (503, "GET", "/audit/", {}),
            (503, "POST", "/transfer/", {"json": {}}),
            (413, "POST", "/transfer/", {"data": large}),
            (406, "GET", "/audit/", {"headers": {"Accept": "text/html"}}),
            (400, "GET", "/audit/", {"headers": {"Host": "elsewhere.example"}}),
            (404, "GET", "/admin/alarms", {}),
            (426, "GET", "/ws/", {}),
        ):
            options: dict[str, Any] = dict(more)
            options["headers"] = {**headers, **options.get("headers", {})}
            async with site.session.request(method, site.url + path, **options) as response:
                told = response.headers
                assert told.get("Access-Control-Allow-Origin") == ORIGIN, (path, response.status)
                assert "X-Request-Id" in told
                assert (response.status, response.content_type) == (status, "application/json")
