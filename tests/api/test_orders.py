"""Orders over HTTP and WebSocket: the sequences that a trading wallet relies on."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.matching.leader import MatchingLeader
from ledger.matching.matcher import MatchingPolicy
from ledger.orders.requests import OrderRequest
from ledger.terms import record_terms
from models import ChainView
from protocol.keccak import keccak256
from tests.api.schemas import require_shape
from tests.api.serving import Site, Socket
from tests.api.test_payments import codes, pause
from tests.ledger.world import ETH, LQD, key, text_of
from tests.orders.market import Market, Trade

pytestmark = pytest.mark.asyncio


def body_of(request: OrderRequest, **changed: Any) -> dict[str, Any]:
    """An order as wallets send it."""

    def listed(signatures: tuple[bytes, ...]) -> list[dict[str, str]]:
        return [{"value": signature.hex()} for signature in signatures]

    return {
        "wallet": {
            "address": text_of(request.debit_address),
            "token": text_of(request.debit_token),
        },
        "recipient": {
            "address": text_of(request.credit_address),
            "token": text_of(request.credit_token),
        },
        "amount": str(request.amount),
        "amount_swapped": str(request.amount_swapped),
        "eon_number": request.eon,
        "nonce": str(request.nonce),
        "debit_signature": listed(request.debit_signatures),
        "debit_balance_signature": listed(request.debit_marker_signatures),
        "credit_signature": listed(request.credit_signatures),
        "credit_balance_signature": listed(request.credit_marker_signatures),
        "credit_fulfillment_signature": listed(request.fulfilment_signatures),
    } | changed


def streams_of(name: str) -> tuple[str, str]:
    """A trader's streams in ETH and LQD."""
    address = text_of(key(name).address)
    return f"wallet/{text_of(ETH)}/{address}", f"wallet/{text_of(LQD)}/{address}"


def pair_of(sold: bytes, bought: bytes) -> str:
    return f"tokenpair/{text_of(sold)}/{text_of(bought)}"


async def post(site: Site, market: Market, name: str, amount: int, wanted: int, **how: Any) -> int:
    """Place an order over HTTP; it must be accepted."""
    request = market.request(name, amount, wanted, **how)
    status, answer = await site.post("/swap/", body_of(request))
    assert status == 201, answer
    require_shape("Transaction", answer)
    remember(market, name, request, answer)
    return int(answer["id"])


def remember(market: Market, name: str, request: OrderRequest, answer: dict[str, Any]) -> None:
    terms = market.terms(
        name,
        request.debit_token,
        request.credit_token,
        request.amount,
        request.amount_swapped,
        request.nonce,
    )
    market.orders[answer["id"]] = Trade(
        name,
        request.debit_token,
        request.credit_token,
        terms,
        request.eon,
        len(request.debit_signatures),
        type("Placed", (), {"tx_id": answer["tx_id"]})(),
    )


async def put(site: Site, path: str, body: Any) -> tuple[int, Any]:
    return await site.call("PUT", path, json=body)


def listed(signatures: list[bytes]) -> list[dict[str, str]]:
    return [{"value": signature.hex()} for signature in signatures]


async def events(socket: Socket, count: int) -> list[tuple[str, str, Any]]:
    return [await socket.event() for _ in range(count)]


@asynccontextmanager
async def matching(market: Market) -> AsyncIterator[None]:
    """A leader at work."""
    policy = MatchingPolicy(delay_s=0.3)
    leader = MatchingLeader(market.world.engine, lambda _session: market.world.rules, policy)
    thread = threading.Thread(target=leader.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        leader.stop()
        thread.join(10)


async def test_a_full_match_runs_as_trading_wallets_expect(site: Site, market: Market) -> None:
    market.trader("maker", lqd=900)
    market.trader("taker", eth=300)
    eth, lqd = streams_of("taker")
    pair, back = pair_of(ETH, LQD), pair_of(LQD, ETH)
    async with matching(market), site.socket(eth, lqd, pair, back) as socket:
        await post(site, market, "maker", 900, 300, sold=LQD, eons=5)
        assert [(s, e) for s, e, _ in await events(socket, 1)] == [(back, "INCOMING_SWAP")]
        order = await post(site, market, "taker", 300, 900, eons=5)
        placed = await events(socket, 3)
        assert [(stream, event) for stream, event, _ in placed] == [
            (lqd, "SWAP_CONFIRMATION"),
            (eth, "SWAP_CONFIRMATION"),
            (pair, "INCOMING_SWAP"),
        ]
        matched = await events(socket, 4)
        assert {event for _, event, _ in matched} == {"MATCHED_SWAP"}
        own = [payload for stream, _, payload in matched if stream in (eth, lqd)]
        assert len(own) == 2
        for payload in own:
            require_shape("Transaction", payload)
            assert (payload["id"], payload["complete"]) == (order, True)
            assert payload["matched_amounts"] == {"matched_in": "900", "matched_out": "300"}
            assert payload["recipient_fulfillment_active_state"]["operator_signature"]
        status, page = await site.get(f"/audit/transactions?tx_id={own[0]['tx_id']}")
        assert (status, page["count"]) == (200, 5)
        _, signatures = market.closing_signatures(order)
        body = {"finalization_signature": listed(signatures)}
        status, answer = await put(site, f"/swap/{order}/finalize", body)
        assert status == 200
        require_shape("FinalizeOut", answer)
        finalised = await events(socket, 2)
        assert finalised == [
            (lqd, "SWAP_FINALIZATION", answer),
            (eth, "SWAP_FINALIZATION", answer),
        ]
        assert await socket.silent()
    assert market.has("taker", LQD) == 900


async def test_a_partial_match_is_frozen_and_cancelled(site: Site, market: Market) -> None:
    market.trader("maker", lqd=300)
    market.trader("taker", eth=300)
    eth, lqd = streams_of("taker")
    pair = pair_of(ETH, LQD)
    await post(site, market, "maker", 300, 100, sold=LQD)
    order = await post(site, market, "taker", 300, 900, eons=5)
    market.match()
    async with site.socket(eth, lqd, pair) as socket:
        signature = key("taker").sign(market.orders[order].terms.freeze_digest())
        body: dict[str, Any] = {"freezing_signature": {"value": signature.hex()}}
        status, frozen = await put(site, f"/swap/{order}/freeze", body)
        assert status == 200
        require_shape("FreezeOut", frozen)
        assert frozen["matched_amounts"] == {"matched_in": "300", "matched_out": "100"}
        assert await socket.silent()
        status, again = await put(site, f"/swap/{order}/freeze", body)
        assert (status, codes(again)) == (400, ["SWAP_ALREADY_FROZEN"])
        debit, credit = market.closing_signatures(order)
        body = {
            "sender_cancellation_signature": listed(debit),
            "recipient_cancellation_signature": listed(credit),
        }
        short = body | {"recipient_cancellation_signature": listed(credit[:-1])}
        status, refused = await put(site, f"/swap/{order}/cancel", short)
        assert (status, codes(refused)) == (400, ["WRONG_NUMBER_OF_CREDIT_SIGNATURES"])
        status, answer = await put(site, f"/swap/{order}/cancel", body)
        assert status == 200
        require_shape("CancelOut", answer)
        assert await events(socket, 3) == [
            (lqd, "SWAP_CANCELLATION", answer),
            (eth, "SWAP_CANCELLATION", answer),
            (pair, "CANCELLED_SWAP", answer),
        ]
    assert (market.has("taker", ETH), market.has("taker", LQD)) == (200, 300)


async def test_an_order_goes_on_after_the_checkpoint_is_told(site: Site, market: Market) -> None:
    market.trader("taker", eth=300)
    eth, lqd = streams_of("taker")
    order = await post(site, market, "taker", 300, 900, eons=2)
    async with site.socket(eth, lqd) as socket:
        market.bank.turn()
        market.announce()
        told = await events(socket, 2)
        assert sorted(event for _, event, _ in told) == ["CHECKPOINT_CREATED"] * 2
        assert [payload["transactions"][0]["id"] for _, _, payload in told] == [order + 1] * 2
        market.match()
        told = await events(socket, 2)
        assert [(stream, event) for stream, event, _ in told] == [
            (lqd, "SWAP_CONFIRMATION"),
            (eth, "SWAP_CONFIRMATION"),
        ]
        row = told[0][2]
        assert (row["eon_number"], row["id"]) == (2, order + 1)
        assert row["sender_active_state"]["operator_signature"]


async def test_the_book_shows_open_orders_by_price(site: Site, market: Market) -> None:
    for name, amount in (("a", 100), ("b", 200), ("c", 50)):
        market.trader(name, eth=amount)
    market.trader("d", lqd=90)
    await post(site, market, "a", 100, 1000)
    await post(site, market, "b", 200, 2000)
    await post(site, market, "c", 50, 600)
    order = await post(site, market, "d", 90, 10, sold=LQD)
    path = f"/audit/{text_of(ETH)}/0x{text_of(LQD).lower()}/orderbook"
    status, book = await site.get(path)
    assert status == 200
    require_shape("OrderBook", book)
    assert book == {
        "sell_orders": [
            {
                "amount": "50",
                "amount_swapped": "600",
                "remaining_out": "50",
                "remaining_in": "600",
            },
            {
                "amount": "100",
                "amount_swapped": "1000",
                "remaining_out": "300",
                "remaining_in": "3000",
            },
        ],
        "buy_orders": [
            {"amount": "90", "amount_swapped": "10", "remaining_out": "90", "remaining_in": "10"}
        ],
    }
    market.freeze(order)
    assert (await site.get(path + "?eon_number=99"))[1]["buy_orders"] == []
    assert (await site.get(path + "?eon_number=0"))[1] == {"sell_orders": [], "buy_orders": []}
    assert (await site.get(f"/audit/{text_of(ETH)}/{'00' * 20}/orderbook"))[0] == 404


async def test_matches_are_for_listed_addresses(site: Site, market: Market) -> None:
    market.trader("maker", lqd=300)
    market.trader("taker", eth=100)
    await post(site, market, "maker", 300, 100, sold=LQD)
    await post(site, market, "taker", 100, 300)
    market.match()
    path = f"/audit/{text_of(ETH)}/{text_of(LQD)}/matches?start_time=0&end_time=9999999999"
    status, found = await site.get(path)
    assert status == 200
    for match in found:
        require_shape("Match", match)
    assert [(match["volume"], match["price"]) for match in found] == [("100", "3.0")]
    refused = await site.get(path, headers={"X-Forwarded-For": "10.1.2.3, 127.0.0.1"})
    assert (refused[0], set(refused[1])) == (403, {"detail"})
    bad = await site.get(f"/audit/{text_of(ETH)}/{text_of(LQD)}/matches?start_time=x")
    assert (bad[0], codes(bad[1])) == (400, {"start_time": ["invalid"]})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"amount": "0"}, {"amount": ["INVALID_DEBIT_AMOUNT"]}),
        ({"amount_swapped": "0"}, {"amount_swapped": ["min_value"]}),
        ({"amount_swapped": str(2**128)}, {"amount_swapped": ["max_value"]}),
        ({"amount": str(2**128)}, {"amount": ["max_value"]}),
        ({"credit_signature": {}}, {"credit_signature": {"non_field_errors": ["not_a_list"]}}),
        ({"credit_signature": [{}]}, {"credit_signature": [{"value": ["required"]}]}),
        ({"credit_signature": []}, {"non_field_errors": ["WRONG_NUMBER_OF_SIGNATURES"]}),
        ({"eon_number": 7}, ["EON_NUMBER_OUT_OF_SYNC"]),
        ({"amount": "301"}, ["DEBIT_WALLET_OVERSPENDING"]),
    ],
)
async def test_refusals_have_the_shape_of_their_step(
    site: Site, market: Market, changed: dict[str, Any], expected: Any
) -> None:
    market.trader("t", eth=300)
    body = body_of(market.request("t", 300, 900), **changed)
    status, answer = await site.post("/swap/", body)
    assert (status, codes(answer)) == (400, expected)


async def test_a_bad_signature_of_a_later_eon_is_named_and_nothing_is_stored(
    site: Site, market: Market
) -> None:
    market.trader("t", eth=300)
    request = market.request("t", 300, 900, eons=3, spoil=("credit_signatures", 2))
    status, answer = await site.post("/swap/", body_of(request))
    assert (status, codes(answer)) == (400, ["INVALID_FUTURE_CREDIT_SIGNATURE"])
    _, page = await site.get("/audit/transactions?swap=true")
    assert page["count"] == 0


async def test_terms_gate_orders_and_never_their_end(site: Site, market: Market) -> None:
    market.trader("t", eth=300)
    market.trader("u", eth=300)
    order = await post(site, market, "t", 300, 900)
    with market.world.begin() as session:
        record_terms(session, terms=keccak256(b"new"), privacy=keccak256(b"newer"))
        session.connection().exec_driver_sql("DELETE FROM terms_of_service_signature")
    status, answer = await site.post("/swap/", body_of(market.request("u", 300, 900)))
    assert (status, answer["code"]) == (403, "INVALID_TOS_SIGNATURE")
    signature = key("t").sign(market.orders[order].terms.freeze_digest())
    body = {"freezing_signature": {"value": signature.hex()}}
    assert (await put(site, f"/swap/{order}/freeze", body))[0] == 200


async def test_a_halted_operator_takes_no_orders_and_ends_those_it_has(
    site: Site, market: Market
) -> None:
    market.trader("t", eth=300)
    market.trader("u", eth=300)
    order = await post(site, market, "t", 300, 900)
    with market.world.begin() as session:
        view = session.get(ChainView, 1)
        assert view is not None
        view.intake = "halted"
    status, _ = await site.post("/swap/", body_of(market.request("u", 300, 900)))
    assert status == 503
    signature = key("t").sign(market.orders[order].terms.freeze_digest())
    body = {"freezing_signature": {"value": signature.hex()}}
    assert (await put(site, f"/swap/{order}/freeze", body))[0] == 200


async def test_paused_orders_are_refused_and_those_that_rest_can_be_ended(
    site: Site, market: Market
) -> None:
    market.trader("t", eth=300)
    market.trader("u", eth=300)
    order = await post(site, market, "t", 300, 900)
    pause(market.world, "orders")
    async with site.session.post(
        site.url + "/swap/", json=body_of(market.request("u", 300, 900))
    ) as response:
        assert response.status == 503
        assert await response.json() == {"detail": "orders are paused"}
        assert int(response.headers["Retry-After"]) > 0
    signature = key("t").sign(market.orders[order].terms.freeze_digest())
    body = {"freezing_signature": {"value": signature.hex()}}
    assert (await put(site, f"/swap/{order}/freeze", body))[0] == 200
    pause(market.world, "orders", paused=False)
    assert (await site.post("/swap/", body_of(market.request("u", 300, 900))))[0] == 201


@pytest.mark.parametrize("step", ["freeze", "cancel", "finalize"])
async def test_what_is_no_order_cannot_be_ended(site: Site, market: Market, step: str) -> None:
    body: dict[str, Any] = {
        "freezing_signature": {"value": "00"},
        "sender_cancellation_signature": [],
        "recipient_cancellation_signature": [],
        "finalization_signature": [],
    }
    assert (await put(site, f"/swap/123456/{step}", body))[0] == 404
    assert (await put(site, f"/swap/{'9' * 30}/{step}", body))[0] == 404
    status, answer = await put(site, f"/swap/1/{step}", {})
    assert status == 400 and "non_field_errors" not in answer
