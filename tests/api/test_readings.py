"""What wallets and people read: forms of paths, pages, filters, shapes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.payments import Payer, admit
from tests.api.schemas import require_shape
from tests.api.serving import Site
from tests.ledger.world import ETH, LQD, World, key, text_of

pytestmark = pytest.mark.asyncio
TOKEN = "0x" + text_of(ETH)


async def pay(site: Site, payer: Payer, recipient: Payer, *amounts: int) -> list[Any]:
    answers = []
    for amount in amounts:
        status, answer = await site.post("/transfer/", payer.body(recipient, amount))
        assert status == 201, answer
        payer.accept(recipient, answer)
        answers.append(answer)
    return answers


async def test_status_and_tokens_are_served_with_and_without_the_slash(
    site: Site, ledger: World
) -> None:
    for path in ("/audit", "/audit/"):
        status, answer = await site.get(path)
        assert status == 200
        require_shape("OperatorStatus", answer)
        assert answer["latest"] == {"block": 110, "eon_number": 1}
        assert (answer["blocks_per_eon"], answer["confirmation_blocks"]) == (180, 3)
    for path in ("/audit/tokens", "/audit/tokens/"):
        status, tokens = await site.get(path)
        assert status == 200
        for token in tokens:
            require_shape("Token", token)
        assert [token["address"] for token in tokens] == [TOKEN, "0x" + text_of(LQD)]


async def test_whois_finds_a_wallet_in_any_spelling(site: Site, ledger: World) -> None:
    wallet = ledger.admit("alice")
    address = text_of(key("alice").address)
    for spelled in (address, "0x" + address, address.lower(), "0x" + address.upper()):
        status, answer = await site.get(f"/audit/{text_of(ETH).lower()}/{spelled}/whois")
        assert status == 200
        require_shape("Admission", answer)
        assert answer["authorization"] == bytes(wallet.wallet_authorization).hex()
        assert answer["trail_identifier"] == wallet.trail_identifier


async def test_what_does_not_exist_is_404_in_shape_d(site: Site) -> None:
    stranger = text_of(key("stranger").address)
    for path in (
        f"/audit/{TOKEN}/{stranger}/whois",
        f"/audit/undefined/{stranger}/whois",
        f"/audit/1/{TOKEN}/{stranger}/",
        f"/audit/1/{TOKEN}/0X{stranger}/",
        "/audit/transactions/57",
        f"/audit/transactions/{'9' * 40}/",
        "/audit/?format=xml",
        "/nowhere/",
    ):
        status, answer = await site.get(path)
        assert status == 404, path
        require_shape("Detail", answer)


async def test_a_wallets_state_shows_the_eon_in_both_views(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    ledger.request_withdrawal("alice", 0)
    sent = await pay(site, alice, bob, 5, 6)
    for payer in (alice, bob):
        path = f"/audit/1/{TOKEN}/0x{text_of(payer.key.address)}"
        status, state = await site.get(path)
        assert status == 200
        require_shape("WalletState", state)
        assert state["transactions"] == sent
        assert state["merkle_proof"] is None
        assert await site.get(path + "/") == (200, state)
        later = await site.get(f"{path}/?transfer_id={sent[1]['id']}")
        assert later[1]["transactions"] == sent[1:]
    assert state["deposits"] == []
    _, state = await site.get(f"/audit/1/{TOKEN}/{text_of(alice.key.address)}")
    assert [one["amount"] for one in state["deposits"]] == ["100"]
    assert [one["slashed"] for one in state["withdrawal_requests"]] == [False]


async def test_an_eon_without_data_is_empty_and_not_an_error(site: Site, ledger: World) -> None:
    admit(ledger, "alice", deposit=100)
    for eon in ("0", "2", "9" * 19, "9" * 300):
        status, state = await site.get(f"/audit/{eon}/{TOKEN}/{text_of(key('alice').address)}/")
        assert status == 200
        assert state.pop("registration")["eon_number"] == 1
        assert state.pop("merkle_proof") is None
        assert not any(state.values())


async def test_a_malformed_transfer_id_is_named(site: Site, ledger: World) -> None:
    admit(ledger, "alice")
    path = f"/audit/1/{TOKEN}/{text_of(key('alice').address)}/?transfer_id=x"
    status, answer = await site.get(path)
    assert (status, answer["transfer_id"][0]["code"]) == (400, "invalid")


async def test_pages_follow_each_other_without_gap_or_overlap(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    sent = await pay(site, alice, bob, *range(12))
    status, page = await site.get("/audit/transactions?swap=false&limit=5")
    assert status == 200
    require_shape("ConciseTransactionPage", page)
    assert page["previous"] is None
    assert page["next"] == f"{site.url}/audit/transactions/?limit=5&offset=5&swap=false"
    seen = list(page["results"])
    while page["next"]:
        _, page = await site.get(page["next"].removeprefix(site.url))
        seen += page["results"]
    assert [one["id"] for one in seen] == [one["id"] for one in sent]
    assert page["previous"] == f"{site.url}/audit/transactions/?limit=5&offset=5&swap=false"
    assert all(one["amount_swapped"] is None for one in seen)


async def test_limits_and_offsets_out_of_range_fall_back(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    await pay(site, alice, bob, *range(11))
    for query, rows in (
        ("", 10),
        ("limit=0", 10),
        ("limit=-3", 10),
        ("limit=x&offset=x", 10),
        ("limit=1000000", 11),
        ("offset=50", 0),
        ("offset=" + "9" * 400, 0),
    ):
        status, page = await site.get(f"/audit/transactions/?{query}")
        assert (status, len(page["results"]), page["count"]) == (200, rows, 11), query


async def test_behind_a_proxy_links_carry_its_scheme(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    await pay(site, alice, bob, 1, 2)
    headers = {"X-Forwarded-Proto": "https", "Host": "localhost"}
    _, page = await site.get("/audit/transactions/?limit=1", headers=headers)
    assert page["next"] == "https://localhost/audit/transactions/?limit=1&offset=1"


async def test_filters_search_and_order_select_transactions(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob", deposit=100)
    one, two = await pay(site, alice, bob, 1, 2)
    (three,) = await pay(site, bob, alice, 3)
    carol = admit(ledger, "carol")
    (four,) = await pay(site, bob, carol, 4)
    lower = text_of(carol.key.address).lower()
    for query, found in (
        (f"tx_id={two['tx_id']}", [two]),
        (f"nonce={three['nonce']}", [three]),
        ("eon_number=2", []),
        (f"eon_number={2**70}", []),
        ("swap=TRUE", []),
        ("passive=1&voided=0&swap=maybe", [one, two, three, four]),
        (f"search={lower}", [four]),
        (f"search={lower[3:20]},{text_of(bob.key.address)[:9]}", [four]),
        ("search=not-hexadecimal", []),
        ("search=%00", []),
        ("ordering=-time&limit=1&nonce=" + one["nonce"], [one]),
        ("ordering=-amount", [four, three, two, one]),
        ("ordering=undefined", [one, two, three, four]),
        ("ordering=get_timestamp,-id", [four, three, two, one]),
        ("txId=7&eon=9&tx_id=&nonce=", [one, two, three, four]),
    ):
        status, page = await site.get(f"/audit/transactions/?{query}")
        assert status == 200, query
        assert [row["id"] for row in page["results"]] == [row["id"] for row in found], query


async def test_malformed_filters_are_all_named(site: Site) -> None:
    status, answer = await site.get("/audit/transactions/?tx_id=x&eon_number=y&nonce=1.5")
    assert status == 400
    require_shape("FieldErrors", answer)
    assert set(answer) == {"tx_id", "eon_number", "nonce"}
    assert answer["tx_id"][0]["code"] == "invalid"


async def test_the_digests_of_the_terms_have_no_prefix(site: Site) -> None:
    status, answer = await site.get("/tos/latest")
    assert status == 200
    require_shape("TosConfig", answer)
