"""A trader believes nothing of an order that it can check: each lie in words is caught by name."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.api.serving import Site
from tests.end_to_end.lying_operator import LyingOperator, lying, truth
from tests.end_to_end.test_deceptions import change
from tests.ledger.world import ETH, LQD
from tests.wallet.conftest import Town
from wallet.errors import Deception, MalformedAnswer
from wallet.operator_api import OperatorApi
from wallet.order_signing import Wish
from wallet.stream import EventStream
from wallet.trader import Fate, Trader
from wallet.wallet import Home

Change = Callable[[Any], None]


def put(**members: Any) -> Change:
    def apply(row: Any) -> None:
        row.update(members)

    return apply


def matched(sold: int, bought: int) -> Change:
    return put(matched_amounts={"matched_out": str(sold), "matched_in": str(bought)})


DEBIT, CREDIT = "sender_active_state", "recipient_active_state"
LIES: dict[str, Change] = {
    "another amount": change("amount"),
    "another wish": change("amount_swapped"),
    "another nonce": change("nonce"),
    "another wallet to buy with": change("recipient", "trail_identifier"),
    "a forged countersignature": change(DEBIT, "operator_signature"),
    "a forged countersignature of the other side": change(CREDIT, "operator_signature"),
    "no countersignature": put(sender_active_state=None),
    "more spent": change(DEBIT, "updated_spendings"),
    "more gained": change(CREDIT, "updated_gains"),
    "another set": change(DEBIT, "tx_set_hash"),
    "another place": change(CREDIT, "tx_set_index"),
    "another fulfilment": change("recipient_fulfillment_active_state", "updated_gains"),
    "a fulfilment that nobody signed": change(
        "recipient_fulfillment_active_state", "wallet_signature"
    ),
    "other starts": change("sender_starting_balance"),
    "a price below the limit": matched(100, 299),
    "money taken for nothing": matched(300, 0),
    "more than was offered": matched(301, 903),
    "an end that is none": put(complete=True),
    "an end that is not told": matched(300, 900),
    "a freeze that nobody signed": put(cancelled=True),
    "a finalisation of an open order": put(recipient_finalization_active_state={}),
    "void, though countersigned": put(voided=True),
    "a member that the wire does not have": put(remaining="1"),
}


@asynccontextmanager
async def lied_to(
    town: Town, site: Site, trader: Trader
) -> AsyncIterator[tuple[LyingOperator, Callable[[], Trader]]]:
    """A liar before the API, and a maker of clients that remember nothing of the trader's order."""
    async with lying(site.url) as (liar, url), OperatorApi(url) as api:
        home = Home(api, EventStream(api.session, url), town.home.parent_chain, town.home.chain)

        def newcomer() -> Trader:
            other = Trader(home, trader.keys)
            other.placed = trader.placed
            for token in (ETH, LQD):
                registration = trader.wallet(token).registration
                assert registration is not None
                other.wallet(token).accept_registration(registration)
            return other

        yield liar, newcomer


def about_orders(lie: Change) -> Callable[[str, Any], Any]:
    def tell(_path: str, body: Any) -> Any:
        if not isinstance(body, dict) or "transactions" not in body:
            return body
        said = copy.deepcopy(body)
        for row in said["transactions"]:
            if row["swap"]:
                lie(row)
        return said

    return tell


async def test_every_lie_about_an_open_order_is_caught(town: Town, site: Site) -> None:
    trader = await town.trader("trader", eth=300)
    maker = await town.trader("maker", lqd=300)
    await trader.place(ETH, LQD, Wish(300, 900, eons=3))
    await maker.place(LQD, ETH, Wish(300, 100))
    town.market.match()
    async with lied_to(town, site, trader) as (liar, newcomer):
        honest = newcomer()
        await honest.sync()
        assert (honest.fate, honest.matched.sold) == (Fate.OPEN, 100)
        for name, lie in LIES.items():
            liar.lie = about_orders(lie)
            with pytest.raises((Deception, MalformedAnswer)):
                await newcomer().sync()
                pytest.fail(f"the trader believed {name}")


def forget(body: Any) -> Any:
    if isinstance(body, dict) and "transactions" in body:
        return body | {"transactions": [row for row in body["transactions"] if not row["swap"]]}
    return body


async def test_a_trader_remembers_what_it_was_told(town: Town, site: Site) -> None:
    trader = await town.trader("trader", eth=300)
    maker = await town.trader("maker", lqd=300)
    await trader.place(ETH, LQD, Wish(300, 900, eons=3))
    async with lied_to(town, site, trader) as (liar, newcomer):
        observers = [newcomer() for _ in range(3)]
        for one in observers:
            await one.sync()
        await maker.place(LQD, ETH, Wish(300, 100))
        town.market.match()
        rolled_back, forgotten, frozen = observers
        for one in observers:
            await one.sync()
        liar.lie = about_orders(matched(50, 150))
        with pytest.raises(Deception, match="rolled back"):
            await rolled_back.sync()
        liar.lie = lambda _path, body: forget(body)
        with pytest.raises(Deception, match="forgotten"):
            await forgotten.sync()
        liar.lie = truth
        await trader.freeze()
        await frozen.sync()
        assert frozen.fate is Fate.FROZEN
        liar.lie = about_orders(matched(200, 600))
        with pytest.raises(Deception, match="rolled back or altered"):
            await frozen.sync()


@pytest.mark.parametrize(
    ("answer", "lie"),
    [
        ("freeze", matched(50, 150)),
        ("freeze", change("id")),
        ("cancel", change("sender_cancellation_active_state", "operator_signature")),
        ("cancel", change("recipient_cancellation_active_state", "updated_gains")),
        ("cancel", put(tx_id="another")),
    ],
)
async def test_a_lie_in_an_answer_is_caught(
    town: Town, site: Site, answer: str, lie: Change
) -> None:
    trader = await town.trader("trader", eth=300)
    await trader.place(ETH, LQD, Wish(300, 900, eons=2))
    async with lied_to(town, site, trader) as (liar, newcomer):
        deceived = newcomer()

        def tell(path: str, body: Any) -> Any:
            if not path.endswith(answer):
                return body
            said = copy.deepcopy(body)
            lie(said)
            return said

        liar.lie = tell
        with pytest.raises(Deception):
            await deceived.freeze()
            await deceived.cancel()


async def test_copies_that_were_never_signed_are_not_ended(town: Town, site: Site) -> None:
    trader = await town.trader("trader", eth=300)
    await trader.place(ETH, LQD, Wish(300, 900, eons=3))
    async with lied_to(town, site, trader) as (liar, newcomer):
        deceived = newcomer()
        await deceived.freeze()

        def one_more(path: str, body: Any) -> Any:
            if not isinstance(body, dict) or "results" not in body:
                return body
            later = body["results"][-1]
            more = later | {"eon_number": 4, "id": later["id"] + 1}
            return body | {"results": [*body["results"], more]}

        liar.lie = one_more
        with pytest.raises(Deception, match="copies"):
            await deceived.cancel()
