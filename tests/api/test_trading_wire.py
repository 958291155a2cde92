"""Wallets in use trade: the published sequences, literally, against API, ledger and matcher."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.api.serving import Site
from tests.api.test_orders import matching
from tests.api.wire_client import ORDER_EONS, WireClient
from tests.ledger.world import CONTRACT, ETH, LQD, key
from tests.orders.market import Market

pytestmark = pytest.mark.asyncio


@dataclass
class Floor:
    """Two traders at the wire, and the parent address to which both pay out."""

    site: Site
    market: Market
    maker: WireClient
    taker: WireClient

    async def fund(self, client: WireClient, token: bytes, amount: int) -> None:
        """A deposit is confirmed, and pushed."""
        since = len(client.log)
        world = self.market.world
        block = world.rules.clock.first_block(world.eon)
        recipient = client.signer.address
        world.event("Deposit", block=block, token=token, recipient=recipient, amount=amount)
        world.confirm(block)
        await client.heard((client.stream(token), "CONFIRMED_DEPOSIT"), since=since)

    async def turn(self) -> list[int]:
        """The next eon and its checkpoint; return where each trader's log stood before."""
        since = [len(self.maker.log), len(self.taker.log)]
        self.market.bank.turn()
        self.market.announce()
        return since

    @property
    def home(self) -> bytes:
        return self.market.world.rules.operator.address


@asynccontextmanager
async def floor(site: Site, market: Market, eth: int, lqd: int) -> AsyncIterator[Floor]:
    """Both traders admitted in both tokens, the maker with LQD and the taker with ETH."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(matching(market))
        clients = []
        for name in ("wire maker", "wire taker"):
            client = WireClient(site.url, site.session, key(name))
            await stack.enter_async_context(client.connected(CONTRACT))
            await client.register(ETH, LQD)
            clients.append(client)
        trading = Floor(site, market, *clients)
        await trading.fund(clients[0], LQD, lqd)
        await trading.fund(clients[1], ETH, eth)
        yield trading


def names(client: WireClient, since: int) -> list[str]:
    """What came since, by event or request, duplicates for two streams as they came."""
    return [name for _, name, _ in client.log[since:]]


async def test_a_full_match_in_one_eon(site: Site, market: Market) -> None:
    async with floor(site, market, eth=300, lqd=900) as trading:
        maker, taker = trading.maker, trading.taker
        await maker.order(LQD, ETH, 900, 300)
        since = len(taker.log)
        row = await taker.order(ETH, LQD, 300, 900)
        own = [taker.stream(LQD), taker.stream(ETH), taker.pair(ETH, LQD)]
        placed = await taker.heard(
            (own[0], "SWAP_CONFIRMATION"),
            (own[1], "SWAP_CONFIRMATION"),
            (own[2], "INCOMING_SWAP"),
            *((stream, "MATCHED_SWAP") for stream in own),
            since=since,
        )
        came = names(taker, since)
        assert came.index("POST swap/") < came.index("MATCHED_SWAP")
        assert (placed[0]["complete"], placed[3]["complete"]) == (False, True)
        assert placed[3]["matched_amounts"] == {"matched_in": "900", "matched_out": "300"}
        since = len(taker.log)
        answer = await taker.finalise(ETH, LQD)
        told = await taker.heard(*((s, "SWAP_FINALIZATION") for s in own[:2]), since=since)
        assert told == [answer, answer] and answer["id"] == row["id"]
        assert came.count("SWAP_CONFIRMATION") == 2
        paid = await taker.pay(LQD, trading.home, 900)
        assert (paid["complete"], taker.books[LQD].balance) == (True, 0)
        await maker.heard((maker.stream(ETH), "MATCHED_SWAP"), since=0)
        await maker.finalise(LQD, ETH)
        await maker.pay(ETH, trading.home, 300)
        since = await trading.turn()
        for client, mark in zip((maker, taker), since, strict=True):
            streams = [client.stream(token) for token in (ETH, LQD)]
            told = await client.heard((streams[0], "CHECKPOINT_CREATED"), since=mark)
            await client.heard((streams[1], "CHECKPOINT_CREATED"), since=mark)
            assert [book.balance for book in client.books.values()] == [0, 0]


async def test_a_full_match_across_eons(site: Site, market: Market) -> None:
    async with floor(site, market, eth=300, lqd=300) as trading:
        maker, taker = trading.maker, trading.taker
        since, mark = len(taker.log), len(maker.log)
        first = await taker.order(ETH, LQD, 300, 900)
        await maker.order(LQD, ETH, 300, 100)
        own = [taker.stream(LQD), taker.stream(ETH)]
        [part, _] = await taker.heard(*((s, "MATCHED_SWAP") for s in own), since=since)
        assert part["matched_amounts"] == {"matched_in": "300", "matched_out": "100"}
        assert not part["complete"]
        await maker.heard((maker.stream(ETH), "MATCHED_SWAP"), since=mark)
        await maker.finalise(LQD, ETH)
        await maker.pay(ETH, trading.home, 100)
        since = (await trading.turn())[1]
        for stream in own:
            [state, carried] = await taker.heard(
                (stream, "CHECKPOINT_CREATED"), (stream, "SWAP_CONFIRMATION"), since=since
            )
            assert carried["id"] != first["id"] and carried["tx_id"] == first["tx_id"]
            assert state["merkle_proof"]["eon_number"] == carried["eon_number"] == 2
        books = taker.books
        assert (books[ETH].balance, books[LQD].balance) == (300 - 100, 300)
        assert [book.entries[-1]["id"] for book in books.values()] == [carried["id"]] * 2
        await maker.heard((maker.stream(LQD), "CHECKPOINT_CREATED"), since=mark)
        await maker.heard((maker.stream(ETH), "CHECKPOINT_CREATED"), since=mark)
        await trading.fund(maker, LQD, 600)
        since = len(taker.log)
        await maker.order(LQD, ETH, 600, 200)
        [done, _] = await taker.heard(*((s, "MATCHED_SWAP") for s in own), since=since)
        assert (done["id"], done["complete"]) == (carried["id"], True)
        assert done["matched_amounts"] == {"matched_in": "900", "matched_out": "300"}
        since = len(taker.log)
        await taker.finalise(ETH, LQD)
        await taker.heard(*((s, "SWAP_FINALIZATION") for s in own), since=since)
        listed = taker.log[since][2]["results"]
        assert [one["voided"] for one in sorted(listed, key=lambda one: one["eon_number"])] == [
            *(False, False),
            *[True] * (ORDER_EONS - 2),
        ]
        await taker.pay(LQD, trading.home, 900)
        since = (await trading.turn())[1]
        for stream in own:
            await taker.heard((stream, "CHECKPOINT_CREATED"), since=since)
        assert (books[ETH].balance, books[LQD].balance) == (0, 0)


async def test_a_partial_match_then_cancel(site: Site, market: Market) -> None:
    async with floor(site, market, eth=300, lqd=300) as trading:
        maker, taker = trading.maker, trading.taker
        await maker.order(LQD, ETH, 300, 100)
        since = len(taker.log)
        await taker.order(ETH, LQD, 300, 900)
        own = [taker.stream(LQD), taker.stream(ETH), taker.pair(ETH, LQD)]
        await taker.heard(*((stream, "MATCHED_SWAP") for stream in own), since=since)
        since = len(taker.log)
        answer = await taker.cancel(ETH, LQD)
        told = await taker.heard(
            (own[0], "SWAP_CANCELLATION"),
            (own[1], "SWAP_CANCELLATION"),
            (own[2], "CANCELLED_SWAP"),
            since=since,
        )
        assert told == [answer] * 3
        came = [name for stream, name, _ in taker.log[since:] if stream == "reply"]
        row = answer["id"]
        assert came == [
            f"GET audit/transactions/{row}",
            f"PUT swap/{row}/freeze",
            "GET audit/transactions",
            f"PUT swap/{row}/cancel",
        ]
        # Nobody is told of a freeze.
        pushes = [name for stream, name, _ in taker.log[since:] if stream != "reply"]
        assert pushes == ["SWAP_CANCELLATION"] * 2 + ["CANCELLED_SWAP"]
        for token, amount in ((LQD, 300), (ETH, 200)):
            since = len(taker.log)
            await taker.pay(token, trading.home, amount)
            await taker.heard((taker.stream(token), "TRANSFER_CONFIRMATION"), since=since)
        since = (await trading.turn())[1]
        for stream in own[:2]:
            await taker.heard((stream, "CHECKPOINT_CREATED"), since=since)
        assert [book.balance for book in taker.books.values()] == [0, 0]


async def test_the_book_and_ones_own_orders(site: Site, market: Market) -> None:
    async with floor(site, market, eth=300, lqd=500) as trading:
        maker, taker = trading.maker, trading.taker
        await taker.order(ETH, LQD, 300, 900)
        await maker.order(LQD, ETH, 500, 250)
        path = f"audit/0x{ETH.hex()}/0x{LQD.hex()}/orderbook"
        book = await taker.call("GET", path, shape="OrderBook")
        assert [line["remaining_out"] for line in book["sell_orders"]] == ["300"]
        assert [line["remaining_in"] for line in book["buy_orders"]] == ["250"]
        own = f"audit/transactions?swap=true&search={taker.signer.address.hex()}&ordering=time"
        page = await taker.call("GET", own + "&limit=1000", shape="ConciseTransactionPage")
        assert [one["eon_number"] for one in page["results"]] == list(range(1, 1 + ORDER_EONS))
        assert {one["amount"] for one in page["results"]} == {"300"}
        assert (await taker.load(ETH)).balance == 300
