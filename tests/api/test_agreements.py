"""Service level agreements: their price, their purchase, and who has one."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.payments import Payer, admit
from tests.api.schemas import require_shape
from tests.api.serving import Site
from tests.api.test_payments import codes
from tests.ledger.world import ETH, ETHER, LQD, World, key, text_of

pytestmark = pytest.mark.asyncio


def address_of(payer: Payer) -> str:
    return "0x" + text_of(payer.key.address)


class Customer:
    """Alice with enough of the token that pays for agreements, and whom she pays."""

    def __init__(self, site: Site, ledger: World) -> None:
        self.site = site
        self.alice = admit(ledger, "alice", deposit=9 * ETHER, token=LQD)
        self.operator = Payer("operator", 0, ledger.eon, LQD)
        self.path = f"/sla/{address_of(self.alice)}"

    async def pay(self, amount: int, recipient: Payer | None = None) -> int:
        paid = recipient or self.operator
        status, answer = await self.site.post("/transfer/", self.alice.body(paid, amount))
        assert status == 201, answer
        self.alice.accept(paid, answer)
        number: int = answer["id"]
        return number

    async def buy(self, transfer_id: Any, path: str | None = None) -> tuple[int, Any]:
        return await self.site.post(path or self.path, {"transfer_id": transfer_id})

    async def refused(self, transfer_id: Any, path: str | None = None) -> Any:
        status, answer = await self.buy(transfer_id, path)
        assert status == 400
        return codes(answer)


@pytest.fixture
def customer(site: Site, ledger: World) -> Customer:
    return Customer(site, ledger)


async def test_the_price_is_told_as_configured_in_both_spellings(site: Site) -> None:
    for path in ("/sla", "/sla/"):
        status, info = await site.get(path)
        assert status == 200
        require_shape("SlaInfo", info)
    assert info == {
        "token": "0x" + text_of(LQD),
        "recipient": "0x" + text_of(key("operator").address),
        "cost": str(ETHER),
        "limit": 100,
    }


async def test_the_exact_price_buys_thirty_days_once(customer: Customer, site: Site) -> None:
    assert (await site.get(customer.path))[0] == 404
    paid = await customer.pay(ETHER)

    status, agreement = await customer.buy(paid)

    assert status == 201
    require_shape("Sla", agreement)
    assert agreement["transfer_id"] == paid
    assert abs(agreement["expiry"] - (time.time() + 30 * 86_400)) < 5
    for spelled in (customer.path, customer.path.lower(), customer.path.replace("0x", "")):
        assert await site.get(spelled) == (200, agreement)
    assert await customer.refused(paid) == {"non_field_errors": ["SLA_ALREADY_EXISTS_FOR_TRANSFER"]}
    again = await customer.pay(ETHER)
    assert await customer.refused(again) == {"non_field_errors": ["SLA_STILL_VALID_FOR_WALLET"]}


async def test_what_is_no_full_payment_of_the_address_buys_nothing(
    customer: Customer, site: Site, ledger: World
) -> None:
    bob = admit(ledger, "bob", token=LQD)
    paid, short = await customer.pay(ETHER), await customer.pay(ETHER - 1)
    elsewhere = await customer.pay(ETHER, bob)
    unknown = {"non_field_errors": ["TRANSFER_DOES_NOT_EXIST"]}
    assert await customer.refused(short) == unknown
    assert await customer.refused(0) == unknown
    assert await customer.refused(2**63 - 1) == unknown
    assert await customer.refused(paid, f"/sla/{address_of(bob)}") == unknown
    assert await customer.refused(paid, "/sla/nobody") == unknown
    assert await customer.refused(elsewhere) == {
        "non_field_errors": ["TRANSFER_MADE_TO_WRONG_WALLET"]
    }
    with ledger.begin() as session:
        session.execute(text("UPDATE transfer SET voided = true WHERE id = :id"), {"id": paid})
    assert await customer.refused(paid) == unknown
    assert (await site.get(customer.path))[0] == 404


async def test_a_payment_in_another_token_is_named(site: Site, ledger: World) -> None:
    alice = admit(ledger, "alice", deposit=9 * ETHER)
    _, answer = await site.post("/transfer/", alice.body(Payer("operator", 0, 1, ETH), ETHER))
    status, refused = await site.post(f"/sla/{address_of(alice)}", {"transfer_id": answer["id"]})
    assert (status, codes(refused)) == (
        400,
        {"non_field_errors": ["TRANSFER_MADE_WITH_WRONG_TOKEN"]},
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "required"), ({"transfer_id": "x"}, "invalid"), ({"transfer_id": 2**63}, "max_value")],
)
async def test_a_malformed_transfer_id_is_named(site: Site, body: Any, code: str) -> None:
    status, answer = await site.post(f"/sla/{'0' * 40}", body)
    assert (status, codes(answer)) == (400, {"transfer_id": [code]})


async def test_who_has_none_is_404_in_shape_d(site: Site) -> None:
    for path in ("/sla/nobody", f"/sla/{'1' * 40}", "/sla/no.body"):
        status, answer = await site.get(path)
        assert status == 404
        require_shape("Detail", answer)
