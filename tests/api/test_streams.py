"""Notifications: who is told, what, in which order, across processes and interruptions."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from sqlalchemy import text

from api.streams.hub import Hub
from api.streams.operations import STREAMS_LIMIT
from ledger.rules import LedgerRules
from tests.api.payments import admission_body, admit
from tests.api.schemas import require_shape
from tests.api.serving import Site, eventually, serve
from tests.ledger.world import ETH, LQD, World, key, text_of

pytestmark = pytest.mark.asyncio


def stream(name: str, token: bytes = ETH) -> str:
    return f"wallet/{text_of(token)}/{text_of(key(name).address)}"


async def test_a_payment_is_told_to_the_recipient_then_the_sender_before_the_answer(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    async with site.socket(alice.stream, bob.stream) as socket:
        status, answer = await site.post("/transfer/", alice.body(bob, 1))
        assert status == 201
        told = [await socket.event(), await socket.event()]

        assert told == [
            (bob.stream, "TRANSFER_CONFIRMATION", answer),
            (alice.stream, "TRANSFER_CONFIRMATION", answer),
        ]
        assert await socket.silent()


async def test_both_pushes_are_there_when_the_answer_arrives(site: Site, ledger: World) -> None:
    """A wallet's own suite counts two messages at the moment at which the call returns."""
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    async with site.socket(alice.stream, bob.stream) as socket:
        for _ in range(10):
            status, answer = await site.post("/transfer/", alice.body(bob, 1))
            assert status == 201
            alice.accept(bob, answer)
            for _ in range(2):
                await socket.receive(timeout_s=0.05)


async def test_streams_are_found_in_any_case_and_told_in_the_registered_one(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    async with site.socket(bob.stream.upper()) as socket:
        await site.post("/transfer/", alice.body(bob, 1))

        assert (await socket.event())[0] == bob.stream
        assert await socket.silent()


async def test_registration_is_told_with_both_signatures_and_in_the_order_of_the_body(
    site: Site, ledger: World
) -> None:
    people = [("zoe", ETH), ("amy", LQD), ("zoe", LQD), ("bea", ETH), ("amy", ETH)]
    async with site.socket(*(stream(name, token) for name, token in people)) as socket:
        bodies = [admission_body(ledger, name, token) for name, token in people]
        status, _ = await site.post("/admission/bulk/", {"admissions": bodies})
        assert status == 201
        told = [await socket.event() for _ in people]

    assert [name for name, _, _ in told] == [stream(name, token) for name, token in people]
    assert {event for _, event, _ in told} == {"REGISTERED_WALLET"}
    for _, _, payload in told:
        require_shape("Admission", payload)
        assert payload["operator_authorization"] is not None


async def test_deposits_and_withdrawal_requests_are_told(site: Site, ledger: World) -> None:
    alice = admit(ledger, "alice")
    async with site.socket(alice.stream) as socket:
        ledger.deposit("alice", 70)
        ledger.request_withdrawal("alice", 0)
        deposit, request = await socket.event(), await socket.event()

    assert (deposit[1], request[1]) == ("CONFIRMED_DEPOSIT", "REQUESTED_WITHDRAWAL")
    require_shape("Deposit", deposit[2])
    require_shape("WithdrawalRequest", request[2])
    assert (deposit[2]["amount"], request[2]["slashed"]) == ("70", False)


async def test_unsubscribed_streams_are_silent(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    async with site.socket(alice.stream, bob.stream) as socket:
        await socket.send("unsubscribe", streams=[alice.stream.lower()])
        assert (await socket.receive())["data"] == {
            "type": "unsubscribe",
            "data": {"streams": [alice.stream.lower()]},
        }
        _, answer = await site.post("/transfer/", alice.body(bob, 1))
        alice.accept(bob, answer)
        assert (await socket.event())[0] == bob.stream
        await socket.send("unsubscribe", streams=["*"])
        assert (await socket.receive())["data"]["data"] == {"streams": ["*"]}
        await site.post("/transfer/", alice.body(bob, 1))

        assert await socket.silent()


async def test_good_names_are_taken_and_each_bad_one_is_named(site: Site) -> None:
    good = stream("anybody")
    request = {"op": "subscribe", "args": {"streams": ["wallet/xyz", good, good + "0", good]}}
    async with site.socket() as socket:
        await socket.raw.send_json(request)
        errors = [await socket.receive(), await socket.receive()]
        acknowledged = await socket.receive()

    assert [error["type"] for error in errors] == ["error", "error"]
    assert all(error["data"]["cause"] == request for error in errors)
    assert "wallet/xyz" in errors[0]["data"]["message"]
    assert acknowledged == {
        "type": "response",
        "data": {"type": "subscribe", "data": {"streams": [good, good]}},
    }


REFUSED: list[str] = [
    "not json",
    '{"op": "subscribe"}',
    '{"op": 7, "args": {}}',
    '{"op": "ping", "args": []}',
    '{"op": "subscribe", "args": {}}',
    '{"op": "subscribe", "args": {"streams": "letters"}}',
    '{"op": "subscribe", "args": {"streams": [1]}}',
    '{"op": "dance", "args": {}}',
    '{"op": "get", "args": {}}',
    '{"op": "get", "args": {"resource": "moon", "params": {}}}',
    '{"op": "get", "args": {"resource": "wallet", "params": {"eon_number": "1"}}}',
    "[" * 60_000,
    '"\\ud800"',
]


async def test_a_malformed_frame_is_answered_with_its_cause_and_the_connection_stays(
    site: Site,
) -> None:
    async with site.socket() as socket:
        for frame in REFUSED:
            await socket.raw.send_str(frame)
            answer = await socket.receive()
            assert answer["type"] == "error", frame[:80]
            assert set(answer["data"]) == {"message", "cause"}
            try:
                expected = json.loads(frame)
            except (ValueError, RecursionError):
                expected = frame
            assert answer["data"]["cause"] == expected
        await socket.raw.send_bytes(b"{}")
        assert (await socket.receive())["data"]["cause"] is None
        assert await socket.silent()


async def test_a_connection_holds_a_bounded_number_of_streams(site: Site) -> None:
    names = [f"wallet/{text_of(ETH)}/{number:040x}" for number in range(STREAMS_LIMIT)]
    async with site.socket() as socket:
        for start in (0, 500):
            await socket.send("subscribe", streams=names[start : start + 500])
            assert (await socket.receive())["type"] == "response"
        await socket.send("subscribe", streams=[stream("one too many")])
        assert (await socket.receive())["type"] == "error"
        await socket.send("subscribe", streams=names[:10])
        assert (await socket.receive())["type"] == "response"


async def test_a_frame_above_the_limit_ends_the_connection(site: Site) -> None:
    async with site.session.ws_connect(site.url + "/ws") as raw:
        await raw.send_str("x" * (64 * 1024 + 1))
        message = await raw.receive(timeout=5)

    assert message.type.name in ("CLOSE", "CLOSED", "ERROR")


async def test_get_answers_what_http_answers(site: Site, ledger: World) -> None:
    alice = admit(ledger, "alice", deposit=5)
    wallet = {"wallet_address": text_of(alice.key.address), "token_address": text_of(ETH)}
    async with site.socket() as socket:
        await socket.send("get", resource="wallet", params=wallet | {"eon_number": 1})
        state = (await socket.receive())["data"]
        await socket.send("get", resource="operator", params={})
        operator = (await socket.receive())["data"]
        await socket.send("get", resource="wallet", params=wallet | {"eon_number": -3})
        assert (await socket.receive())["data"] == state

    path = f"/audit/1/{wallet['token_address']}/{wallet['wallet_address']}/"
    assert state == {"type": "wallet", "data": (await site.get(path))[1]}
    status = (await site.get("/audit/"))[1]
    assert operator == {
        "type": "operator",
        "data": {name: status[name] for name in ("latest", "confirmed")},
    }


async def test_two_processes_tell_each_others_events_once_and_in_one_order(
    database_url: str, ledger: World
) -> None:
    def load(_session: Any) -> LedgerRules:
        return ledger.rules

    alice, bob = admit(ledger, "alice", deposit=1000), admit(ledger, "bob", deposit=1000)
    carol = admit(ledger, "carol")
    async with (
        serve(database_url, load) as one,
        serve(database_url, load) as other,
        one.socket(carol.stream) as here,
        other.socket(carol.stream) as there,
    ):
        for _ in range(5):
            for payer, site in ((alice, one), (bob, other)):
                status, answer = await site.post("/transfer/", payer.body(carol, 1))
                assert status == 201
                payer.accept(carol, answer)
        heard = [[await socket.event() for _ in range(10)] for socket in (here, there)]
        assert await here.silent()
        assert await there.silent()

    assert heard[0] == heard[1]
    positions = [int(payload["position"]) for _, _, payload in heard[0]]
    assert positions == list(range(10))


async def test_what_is_told_while_the_connection_is_lost_is_told_afterwards_once(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    async with site.socket(bob.stream) as socket:
        await site.post("/transfer/", alice.body(bob, 0))
        assert (await socket.event())[1] == "TRANSFER_CONFIRMATION"
        with ledger.begin() as session:
            ended = session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE query LIKE 'LISTEN %' AND datname = current_database()"
                )
            ).all()
        assert len(ended) == 1
        ledger.deposit("bob", 7)

        assert (await socket.event())[1:] == ("CONFIRMED_DEPOSIT", _any_deposit("7"))
        assert await socket.silent()


class _any_deposit:  # noqa: N801
    def __init__(self, amount: str) -> None:
        self.amount = amount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and other["amount"] == self.amount


async def test_a_late_push_holds_back_the_answer_to_a_payment_only_for_a_while() -> None:
    hub = Hub()
    hub.is_listening = True
    hub.subscribe("stream", Deaf())
    began = time.monotonic()
    await hub.until_told(7, ["stream"], 0.2)
    waited = time.monotonic() - began
    waiting = asyncio.create_task(hub.until_told(8, ["STREAM"], 60))
    await asyncio.sleep(0)
    hub.deliver([], [8])
    await asyncio.wait_for(waiting, 1)
    await hub.until_told(8, ["stream"], 60)
    await hub.until_told(9, ["nobody listens"], 60)

    assert 0.2 <= waited < 1


class Deaf:
    def push(self, text: str) -> None:
        return


async def test_a_reader_that_does_not_read_is_dropped_and_the_others_are_told(
    site: Site, ledger: World
) -> None:
    slow, quick = stream("slow"), admit(ledger, "quick")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rsplit(":", 1)[1]))
    writer.write(
        b"GET /ws/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    # Errors echo the frame: a reader that never reads is soon owed more than a queue may hold.
    names = json.dumps({"op": "subscribe", "args": {"streams": ["x" * 300] * 200}}).encode()
    assert len(names) < 65_000
    frame = b"\x81\xfe" + len(names).to_bytes(2, "big") + bytes(4) + names
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        for _ in range(50):
            writer.write(frame)
            await writer.drain()
            await asyncio.sleep(0.05)
        await reader.readexactly(1 << 30)
    async with site.socket(quick.stream, slow) as socket:
        ledger.deposit("quick", 1)
        assert (await socket.event())[1] == "CONFIRMED_DEPOSIT"


async def test_subscribing_twice_tells_once(site: Site, ledger: World) -> None:
    alice = admit(ledger, "alice")
    async with site.socket(alice.stream, alice.stream, alice.stream.lower()) as socket:
        ledger.deposit("alice", 5)
        assert (await socket.event())[1] == "CONFIRMED_DEPOSIT"
        assert await socket.silent()
    await eventually(lambda: _ok(site))


async def _ok(site: Site) -> bool:
    return (await site.get("/health/live"))[0] == 200


async def test_a_request_that_is_no_upgrade_is_refused_without_a_failure(site: Site) -> None:
    for headers in ({}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
        async with site.session.get(site.url + "/ws/", headers=headers) as response:
            assert 400 <= response.status < 500
            require_shape("Detail", await response.json())
