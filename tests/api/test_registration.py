"""Registration over HTTP, single and bulk, and agreement to terms."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from ledger.blacklist import bar_address
from ledger.interventions import Person
from ledger.terms import record_terms
from models import ChainView, TermsOfServiceSignature, Wallet
from protocol.keccak import keccak256
from protocol.terms import terms_digest
from tests.api.payments import admission_body, admit
from tests.api.schemas import require_shape
from tests.api.serving import Site
from tests.api.test_payments import codes, pause
from tests.ledger.world import ETH, LQD, World, key, text_of

pytestmark = pytest.mark.asyncio


def wallets(ledger: World) -> int:
    with ledger.begin() as session:
        return session.scalar(select(func.count()).select_from(Wallet)) or 0


async def test_a_registration_is_admitted_and_echoed_without_signatures(
    site: Site, ledger: World
) -> None:
    status, answer = await site.post("/admission/", admission_body(ledger, "alice"))

    assert status == 201
    assert answer == {
        "authorization": None,
        "address": "0x" + text_of(key("alice").address),
        "token": "0x" + text_of(ETH),
        "tos_signature": None,
    }
    path = f"/audit/{text_of(ETH)}/{text_of(key('alice').address)}/whois"
    assert (await site.get(path))[1]["operator_authorization"] is not None


async def test_the_letter_case_of_a_registration_is_echoed_for_ever(
    site: Site, ledger: World
) -> None:
    lower = text_of(key("alice").address).lower()
    body = admission_body(ledger, "alice") | {
        "address": "0x" + lower,
        "token": text_of(ETH).lower(),
    }

    status, answer = await site.post("/admission", body)

    assert (status, answer["address"]) == (201, "0x" + lower)
    assert answer["token"] == "0x" + text_of(ETH)


async def test_malformed_registrations_name_every_bad_field(site: Site, ledger: World) -> None:
    good = admission_body(ledger, "alice")
    for changed, expected in (
        ({"authorization": None}, {"authorization": ["null"]}),
        ({"authorization": {"value": "f" * 131}}, {"authorization": {"value": ["max_length"]}}),
        ({"address": "12"}, {"address": ["invalid"]}),
        ({"address": ""}, {"address": ["blank"]}),
        ({"token": "12"}, {"token": ["TOKEN_NOT_REGISTERED"]}),
        ({"token": "ab" * 20}, {"token": ["TOKEN_NOT_REGISTERED"]}),
        (
            {"token": "ab" * 20, "address": "0" * 43},
            {"token": ["TOKEN_NOT_REGISTERED"], "address": ["max_length"]},
        ),
        (
            {"token": "zz", "address": "zz", "tos_signature": "zz"},
            {
                "token": ["TOKEN_NOT_REGISTERED"],
                "address": ["invalid"],
                "tos_signature": {"non_field_errors": ["invalid"]},
            },
        ),
    ):
        status, answer = await site.post("/admission/", good | changed)
        assert (status, codes(answer)) == (400, expected), changed
        require_shape("FieldErrors", answer)


async def test_refused_registrations_are_judged_in_shape_b_and_leave_nothing(
    site: Site, ledger: World
) -> None:
    ledger.admit("known")
    with ledger.begin() as session:
        bar_address(session, key("barred").address, Person("test", "test"))
    before = wallets(ledger)
    alice = admission_body(ledger, "alice")
    for body, code in (
        (admission_body(ledger, "barred"), "WALLET_BLACKLISTED"),
        (admission_body(ledger, "known"), "WALLET_ALREADY_ADMITTED"),
        (alice | {"authorization": {"value": "garbage"}}, "INVALID_ADMISSION_SIGNATURE"),
        (alice | {"authorization": alice["tos_signature"]}, "INVALID_ADMISSION_SIGNATURE"),
        (alice | {"tos_signature": alice["authorization"]}, "INVALID_TOS_SIGNATURE"),
    ):
        status, answer = await site.post("/admission/", body)
        assert (status, codes(answer)) == (400, {"non_field_errors": [code]})
    assert wallets(ledger) == before


async def test_a_bulk_registration_skips_the_known_and_the_barred(
    site: Site, ledger: World
) -> None:
    ledger.admit("known")
    with ledger.begin() as session:
        bar_address(session, key("barred").address, Person("test", "test"))
    names = ["known", "barred", *(f"new {number}" for number in range(17))]
    entries = [admission_body(ledger, name) for name in names]
    entries.append(admission_body(ledger, "new 0", LQD))
    with ledger.begin() as session:
        signed = session.scalar(select(func.count()).select_from(TermsOfServiceSignature)) or 0

    status, answer = await site.post("/admission/bulk", {"admissions": entries})

    assert status == 201
    require_shape("BulkAdmissionOut", answer)
    listed = [entry["address"] for entry in answer["admissions"]]
    assert listed == ["0x" + entry["address"] for entry in entries[2:]]
    with ledger.begin() as session:
        now = session.scalar(select(func.count()).select_from(TermsOfServiceSignature)) or 0
    assert now - signed == 17


async def test_a_bulk_registration_is_all_or_nothing(site: Site, ledger: World) -> None:
    entries = [admission_body(ledger, f"new {number}") for number in range(5)]
    before = wallets(ledger)
    entries[3]["tos_signature"] = entries[3]["authorization"]
    signature = await site.post("/admission/bulk/", {"admissions": entries})
    entries[3]["token"] = "zz"
    token = await site.post("/admission/bulk/", {"admissions": entries})
    crowd = [admission_body(ledger, f"new {number}") for number in range(21)]
    too_many = await site.post("/admission/bulk/", {"admissions": crowd})

    assert [(status, codes(answer)) for status, answer in (signature, token, too_many)] == [
        (400, {"non_field_errors": ["INVALID_TOS_SIGNATURE"]}),
        (400, {"non_field_errors": ["TOKEN_NOT_REGISTERED"]}),
        (400, {"non_field_errors": ["TOO_MANY_ADMISSION_REQUESTS"]}),
    ]
    assert wallets(ledger) == before
    assert await site.post("/admission/bulk/", {"admissions": []}) == (201, {"admissions": []})


async def test_bad_entries_are_reported_beside_good_ones(site: Site, ledger: World) -> None:
    good = admission_body(ledger, "alice")
    bad = good | {"address": "12"}
    for admissions, expected in (
        ("x", {"admissions": {"non_field_errors": ["not_a_list"]}}),
        ([good, bad], {"admissions": [{}, {"address": ["invalid"]}]}),
        ([7, good], {"admissions": [{"non_field_errors": ["invalid"]}, {}]}),
    ):
        status, answer = await site.post("/admission/bulk/", {"admissions": admissions})
        assert (status, codes(answer)) == (400, expected)
    status, answer = await site.post("/admission/bulk/", {})
    assert (status, codes(answer)) == (400, {"admissions": ["required"]})


async def test_a_closed_intake_answers_503_and_registers_nobody(site: Site, ledger: World) -> None:
    body = admission_body(ledger, "alice")
    with ledger.begin() as session:
        session.execute(update(ChainView).values(intake="late"))
    before = wallets(ledger)

    for path, sent in (("/admission/", body), ("/admission/bulk/", {"admissions": [body]})):
        async with site.session.post(site.url + path, json=sent) as response:
            assert response.status == 503
            assert "Retry-After" in response.headers
    assert wallets(ledger) == before


async def test_paused_admissions_answer_503_and_register_nobody(site: Site, ledger: World) -> None:
    body = admission_body(ledger, "alice")
    before = wallets(ledger)
    pause(ledger, "admissions")
    for path, sent in (("/admission/", body), ("/admission/bulk/", {"admissions": [body]})):
        assert await site.post(path, sent) == (503, {"detail": "admissions are paused"})
    assert wallets(ledger) == before
    pause(ledger, "admissions", paused=False)
    assert (await site.post("/admission/", body))[0] == 201


@pytest.mark.parametrize("rules", [{"registrations_per_address_limit": 1}], indirect=True)
async def test_the_cap_on_registrations_answers_429(site: Site, ledger: World) -> None:
    assert (await site.post("/admission/", admission_body(ledger, "alice")))[0] == 201
    async with site.session.post(
        site.url + "/admission/", json=admission_body(ledger, "alice", LQD)
    ) as response:
        assert response.status == 429
        assert int(response.headers["Retry-After"]) > 0
        require_shape("Detail", await response.json())


async def test_newer_terms_are_signed_over_their_bytes_once(site: Site, ledger: World) -> None:
    admit(ledger, "alice")
    terms, privacy = keccak256(b"newer"), keccak256(b"newer privacy")
    with ledger.begin() as session:
        record_terms(session, terms=terms, privacy=privacy)
    signed = key("alice").sign(terms_digest(terms, privacy)).hex()
    text = text_of(key("alice").address)
    good = {"address": "0x" + text, "tos_signature": signed}
    stranger = text_of(key("stranger").address)

    refused = [
        await site.post("/tos/", good | {"address": stranger}),
        await site.post("/tos/", good | {"address": "zz"}),
        await site.post("/tos/", good | {"tos_signature": "zz"}),
        await site.post("/tos/", {"address": text}),
    ]
    accepted = await site.post("/tos/", good)
    again = await site.post("/tos", good)

    assert [codes(answer) for _, answer in refused] == [
        {"non_field_errors": ["WALLET_NOT_ADMITTED"]},
        {"non_field_errors": ["WALLET_NOT_ADMITTED"]},
        {"non_field_errors": ["INVALID_TOS_SIGNATURE"]},
        {"tos_signature": ["required"]},
    ]
    assert accepted == (201, {"address": text, "tos_signature": None})
    assert codes(again[1]) == {"non_field_errors": ["LATEST_TOS_ALREADY_SIGNED"]}
