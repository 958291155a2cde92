"""Payments over HTTP: what is answered, in which shape, and in which order rules are judged."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, update

from ledger.interventions import Person
from ledger.switches import set_switch
from ledger.terms import record_terms
from models import ChainView, Wallet
from protocol.keccak import keccak256
from protocol.states import active_state_digest
from tests.api.payments import Payer, admission_body, admit
from tests.api.schemas import require_shape
from tests.api.serving import Site
from tests.ledger.world import CONTRACT, ETH, LQD, World, key, text_of

pytestmark = pytest.mark.asyncio


def codes(answer: Any) -> Any:
    """An error body with every item replaced by its code."""
    if isinstance(answer, list):
        return [codes(one) for one in answer]
    if isinstance(answer, dict) and set(answer) == {"message", "code"}:
        return answer["code"]
    if isinstance(answer, dict):
        return {name: codes(one) for name, one in answer.items()}
    return answer


def pause(ledger: World, name: str, *, paused: bool = True) -> None:
    """Pause or resume new entries of a kind, as a person does."""
    person, account = Person("kim", "a test"), ledger.rules.operator.address
    with ledger.begin() as session:
        assert set_switch(session, name, person, paused=paused, account=account)


@pytest.fixture
def alice(ledger: World) -> Payer:
    return admit(ledger, "alice", deposit=1000)


@pytest.fixture
def bob(ledger: World) -> Payer:
    return admit(ledger, "bob")


async def test_a_transfer_is_answered_with_the_countersigned_transaction(
    site: Site, ledger: World, alice: Payer, bob: Payer
) -> None:
    body = alice.body(bob, 250, nonce=660082539)

    status, answer = await site.post("/transfer/", body)

    assert status == 201
    require_shape("Transaction", answer)
    assert answer["wallet"] == {
        "address": "0x" + text_of(alice.key.address),
        "token": "0x" + text_of(ETH),
        "trail_identifier": alice.trail,
    }
    assert answer["recipient"]["trail_identifier"] == bob.trail
    assert (answer["amount"], answer["nonce"], answer["position"]) == ("250", "660082539", "0")
    state = answer["sender_active_state"]
    assert state["wallet_signature"] == body["debit_signature"]["value"]
    digest = active_state_digest(
        contract=CONTRACT,
        token=ETH,
        wallet=alice.key.address,
        trail=alice.trail,
        eon=1,
        tx_set_root=bytes.fromhex(state["tx_set_hash"]),
        spent=250,
        gained=0,
    )
    assert state["operator_signature"] == ledger.rules.operator.sign(digest).hex()


async def test_the_answer_equals_what_is_read_afterwards(
    site: Site, alice: Payer, bob: Payer
) -> None:
    _, answer = await site.post("/transfer/", alice.body(bob, 250))

    assert await site.get(f"/audit/transactions/{answer['id']}") == (200, answer)


async def test_transfers_follow_each_other_with_proofs_and_positions(
    site: Site, alice: Payer, bob: Payer
) -> None:
    answers = []
    for amount in (30, 0, 7):
        status, answer = await site.post("/transfer", alice.body(bob, amount))
        assert status == 201, answer
        alice.accept(bob, answer)
        answers.append(answer)

    assert [answer["position"] for answer in answers] == ["0", "30", "30"]
    states = [answer["sender_active_state"] for answer in answers]
    assert [state["tx_set_index"] for state in states] == [0, 1, 2]
    assert [len(state["tx_set_proof"]) for state in states] == [0, 1, 2]
    assert all(hash_.startswith("0x") for state in states for hash_ in state["tx_set_proof"])


async def test_exponents_numbers_blanks_and_any_case_are_read(site: Site, ledger: World) -> None:
    rich = admit(ledger, "rich", deposit=5 * 10**21)
    poor = admit(ledger, "poor")
    body = rich.body(poor, 15 * 10**20, nonce=7)
    body |= {"amount": "1.5e+21", "nonce": 7, "debit_balance": " 0 ", "eon_number": "1"}
    body["wallet"] = {name: "0x" + text.lower() for name, text in rich.reference.items()}
    body["recipient"] = {name: text.upper() for name, text in poor.reference.items()}
    body["unknown"] = {"members": ["are", "ignored"]}

    status, answer = await site.post("/transfer/", body)

    assert status == 201, answer
    assert answer["amount"] == "1500000000000000000000"
    assert answer["wallet"]["address"] == "0x" + text_of(rich.key.address)


BAD = "ff" * 65


MALFORMED: list[tuple[dict[str, Any], Any]] = [
    ({"amount": "-1"}, {"amount": ["min_value"]}),
    ({"amount": "1.0"}, {"amount": ["max_decimal_places"]}),
    ({"amount": 1.5}, {"amount": ["max_decimal_places"]}),
    ({"amount": str(2**256)}, {"amount": ["max_value"]}),
    ({"amount": "9" * 81}, {"amount": ["max_digits"]}),
    ({"amount": "9" * 1001}, {"amount": ["max_string_length"]}),
    ({"amount": "much"}, {"amount": ["invalid"]}),
    ({"amount": True}, {"amount": ["invalid"]}),
    ({"nonce": None}, {"nonce": ["null"]}),
    ({"eon_number": "7.0"}, {"eon_number": ["invalid"]}),
    ({"eon_number": 2**63}, {"eon_number": ["max_value"]}),
    ({"debit_signature": {}}, {"debit_signature": {"value": ["required"]}}),
    ({"debit_signature": {"value": None}}, {"debit_signature": {"value": ["null"]}}),
    ({"debit_signature": {"value": ""}}, {"debit_signature": {"value": ["blank"]}}),
    (
        {"debit_signature": {"value": "0x" + BAD}},
        {"debit_signature": {"value": ["max_length"]}},
    ),
    ({"debit_signature": BAD}, {"debit_signature": {"non_field_errors": ["invalid"]}}),
    ({"recipient": "bob"}, {"recipient": {"non_field_errors": ["invalid"]}}),
    ({"recipient": {"token": "aa"}}, {"recipient": {"address": ["required"]}}),
    ({"recipient": {"address": 1, "token": "a"}}, {"recipient": {"address": ["invalid"]}}),
]


async def test_a_malformed_field_is_named_with_its_code(
    site: Site, alice: Payer, bob: Payer
) -> None:
    body = alice.body(bob, 1)
    for changed, expected in MALFORMED:
        status, answer = await site.post("/transfer/", body | changed)

        assert (status, codes(answer)) == (400, expected), changed


async def test_all_bad_fields_are_reported_together_unknown_wallets_too(
    site: Site, ledger: World, alice: Payer
) -> None:
    stranger = Payer("stranger", 9, 1)
    body = alice.body(stranger, 1) | {"amount": "x"}
    del body["debit_balance"]

    status, answer = await site.post("/transfer/", body)

    assert status == 400
    assert codes(answer) == {
        "amount": ["invalid"],
        "debit_balance": ["required"],
        "recipient": ["WALLET_NOT_ADMITTED"],
    }


NOTHING = [
    ({"address": "12", "token": text_of(ETH)}, "WALLET_NOT_ADMITTED"),
    ({"address": text_of(key("nobody").address), "token": text_of(ETH)}, "WALLET_NOT_ADMITTED"),
    ({"address": text_of(key("alice").address), "token": "ab" * 20}, "TOKEN_NOT_REGISTERED"),
    ({"address": text_of(key("alice").address), "token": "zz"}, "TOKEN_NOT_REGISTERED"),
]


async def test_a_reference_that_names_nothing_hangs_under_its_field(
    site: Site, alice: Payer, bob: Payer
) -> None:
    body = alice.body(bob, 1)
    for reference, code in NOTHING:
        status, answer = await site.post("/transfer/", body | {"recipient": reference})

        assert (status, codes(answer)) == (400, {"recipient": [code]}), reference


async def test_a_body_that_is_no_object_is_refused_in_shape_b(site: Site) -> None:
    for body in ("[]", '"text"', "7", "null"):
        status, answer = await site.call(
            "POST", "/transfer/", data=body, headers={"Content-Type": "application/json"}
        )

        assert (status, codes(answer)) == (400, {"non_field_errors": ["invalid"]}), body


async def test_an_absent_body_lacks_every_field(site: Site) -> None:
    status, answer = await site.call("POST", "/transfer/")

    assert status == 400
    assert codes(answer) == {
        name: ["required"]
        for name in (
            "wallet",
            "amount",
            "eon_number",
            "recipient",
            "nonce",
            "debit_signature",
            "debit_balance_signature",
            "debit_balance",
        )
    }


async def test_used_nonces_are_refused_in_shape_b_for_both_sides(
    site: Site, ledger: World, alice: Payer, bob: Payer
) -> None:
    carol = admit(ledger, "carol")
    dave = admit(ledger, "dave", deposit=50)
    status, first = await site.post("/transfer/", alice.body(bob, 1, nonce=7))
    assert status == 201
    alice.accept(bob, first)

    both = await site.post("/transfer/", alice.body(bob, 1, nonce=7))
    sender = await site.post("/transfer/", alice.body(carol, 1, nonce=7))
    recipient = await site.post("/transfer/", dave.body(bob, 1, nonce=7))

    assert [(status, codes(answer)) for status, answer in (both, sender, recipient)] == [
        (400, {"non_field_errors": ["unique", "unique"]}),
        (400, {"non_field_errors": ["unique"]}),
        (400, {"non_field_errors": ["unique"]}),
    ]


async def test_the_parties_are_judged_in_shape_b(
    site: Site, ledger: World, alice: Payer, bob: Payer
) -> None:
    other = admit(ledger, "bob", token=LQD)

    same = await site.post("/transfer/", alice.body(alice, 1))
    mismatch = await site.post("/transfer/", alice.body(other, 1))

    assert (same[0], codes(same[1])) == (
        400,
        {"non_field_errors": ["DEBIT_CREDIT_WALLET_ADDRESS_MATCH"]},
    )
    assert (mismatch[0], codes(mismatch[1])) == (
        400,
        {"non_field_errors": ["DEBIT_CREDIT_TOKEN_ADDRESS_MISMATCH"]},
    )


async def test_a_wallet_that_waits_for_its_countersignature_cannot_be_paid(
    site: Site, ledger: World, alice: Payer
) -> None:
    waiting = Payer("waiting", 0, 1)
    with ledger.begin() as session:
        session.execute(
            insert(Wallet).values(
                token_id=1,
                address=waiting.key.address,
                text=text_of(waiting.key.address),
                registration_eon=1,
                wallet_authorization=bytes(65),
            )
        )

    status, answer = await site.post("/transfer/", alice.body(waiting, 1))

    assert (status, codes(answer)) == (400, {"non_field_errors": ["CREDIT_WALLET_NOT_ADMITTED"]})


LEDGER_RULES: list[tuple[dict[str, int], dict[str, Any], str]] = [
    ({"eon": 2}, {}, "EON_NUMBER_OUT_OF_SYNC"),
    ({"amount": 1001}, {}, "DEBIT_WALLET_OVERSPENDING"),
    ({}, {"debit_balance": "1000"}, "DEBIT_WALLET_BALANCE_MARKER_EXCEED_BALANCE"),
    ({}, {"debit_balance": "1"}, "INVALID_DEBIT_BALANCE_SIGNATURE"),
    ({}, {"debit_balance_signature": {"value": "12"}}, "INVALID_DEBIT_BALANCE_SIGNATURE"),
    ({}, {"debit_signature": {"value": BAD}}, "INVALID_DEBIT_SIGNATURE"),
    ({}, {"debit_signature": {"value": "garbage"}}, "INVALID_DEBIT_SIGNATURE"),
]


async def test_the_ledgers_rules_are_answered_in_shape_c(
    site: Site, alice: Payer, bob: Payer
) -> None:
    for signed, changed, code in LEDGER_RULES:
        eon, amount = signed.get("eon", 1), signed.get("amount", 1)

        status, answer = await site.post("/transfer/", alice.body(bob, amount, eon=eon) | changed)

        assert (status, codes(answer)) == (400, [code]), changed


async def test_rules_are_judged_in_the_order_of_the_wire(
    site: Site, ledger: World, alice: Payer, bob: Payer
) -> None:
    """Everything is wrong at first; the refusals come in order as one after the other is mended."""
    status, answer = await site.post("/transfer/", alice.body(bob, 1, nonce=5))
    assert status == 201
    alice.accept(bob, answer)
    other = admit(ledger, "bob", token=LQD)
    good = alice.body(bob, 10)
    wrong = good | {
        "amount": "2000",
        "nonce": "5",
        "recipient": other.reference,
        "debit_balance": "5000",
        "debit_signature": {"value": BAD},
        "debit_balance_signature": {},
    }
    seen = []
    for mended in (
        "debit_balance_signature",
        "nonce",
        "recipient",
        "eon_number",
        "amount",
        "debit_balance",
        "debit_signature",
    ):
        status, answer = await site.post("/transfer/", wrong)
        assert status == 400
        seen.append(codes(answer))
        wrong[mended] = good[mended]
        if mended == "nonce":
            # A nonce is used up within its eon, so only now may the eon be wrong as well.
            wrong["eon_number"] = 9
        if mended == "debit_balance":
            wrong["debit_balance_signature"] = good["debit_balance_signature"]
    status, _ = await site.post("/transfer/", wrong)

    assert status == 201
    assert seen == [
        {"debit_balance_signature": {"value": ["required"]}},
        {"non_field_errors": ["unique"]},
        {"non_field_errors": ["DEBIT_CREDIT_TOKEN_ADDRESS_MISMATCH"]},
        ["EON_NUMBER_OUT_OF_SYNC"],
        ["DEBIT_WALLET_OVERSPENDING"],
        ["DEBIT_WALLET_BALANCE_MARKER_EXCEED_BALANCE"],
        ["INVALID_DEBIT_SIGNATURE"],
    ]


@pytest.mark.parametrize("rules", [{"terms_grace_days": 0}], indirect=True)
async def test_the_terms_gate_stands_before_the_form_of_the_body(
    site: Site, ledger: World, alice: Payer, bob: Payer
) -> None:
    with ledger.begin() as session:
        record_terms(session, terms=keccak256(b"newer"), privacy=keccak256(b"newer too"))
    await asyncio.sleep(1.2)

    for body in (alice.body(bob, 1), alice.body(bob, 1) | {"amount": "x"}):
        status, answer = await site.post("/transfer/", body)
        assert status == 403
        assert set(answer) == {"code", "message"}
        assert answer["code"] == "INVALID_TOS_SIGNATURE"
    unnamed = await site.post("/transfer/", {"amount": "x"})
    assert unnamed[0] == 400


@pytest.mark.parametrize("rules", [{"sla_threshold": 2}], indirect=True)
async def test_the_quota_counts_the_senders_transfers_of_the_eon(
    site: Site, alice: Payer, bob: Payer
) -> None:
    for _ in range(2):
        status, answer = await site.post("/transfer/", alice.body(bob, 1))
        assert status == 201
        alice.accept(bob, answer)

    status, answer = await site.post("/transfer/", alice.body(bob, 1))

    assert (status, codes(answer)) == (400, ["DEBIT_WALLET_EXCEEDED_SLA"])


async def test_a_halted_operator_takes_no_payment_and_still_answers_readings(
    site: Site, ledger: World, alice: Payer, bob: Payer
) -> None:
    with ledger.begin() as session:
        session.execute(update(ChainView).values(intake="halted"))

    async with site.session.post(site.url + "/transfer/", json=alice.body(bob, 1)) as response:
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert set(await response.json()) == {"detail"}
    assert (await site.get("/audit/"))[0] == 200
    status, state = await site.get(f"/audit/1/{text_of(ETH)}/{text_of(alice.key.address)}/")
    assert (status, state["transactions"]) == (200, [])


async def test_paused_transfers_are_refused_at_once_and_everything_else_goes_on(
    site: Site, ledger: World, alice: Payer, bob: Payer
) -> None:
    pause(ledger, "transfers")
    async with site.session.post(site.url + "/transfer/", json=alice.body(bob, 1)) as response:
        assert response.status == 503
        assert await response.json() == {"detail": "transfers are paused"}
        assert int(response.headers["Retry-After"]) > 0
    assert (await site.post("/admission/", admission_body(ledger, "carol")))[0] == 201
    assert (await site.get("/health/status"))[1]["paused"] == ["transfers"]
    pause(ledger, "transfers", paused=False)
    assert (await site.post("/transfer/", alice.body(bob, 1)))[0] == 201


async def test_of_two_transfers_signed_on_the_same_base_one_is_accepted(
    site: Site, alice: Payer, bob: Payer
) -> None:
    answers = await asyncio.gather(
        *(site.post("/transfer/", alice.body(bob, 600)) for _ in range(2))
    )

    assert sorted(status for status, _ in answers) == [201, 400]
    refused = next(answer for status, answer in answers if status == 400)
    assert codes(refused)[0] in ("DEBIT_WALLET_OVERSPENDING", "INVALID_DEBIT_SIGNATURE")


async def test_many_senders_pay_one_recipient_at_once(site: Site, ledger: World) -> None:
    senders = [admit(ledger, f"sender {number}", deposit=10) for number in range(12)]
    recipient = admit(ledger, "recipient")

    answers = await asyncio.gather(
        *(site.post("/transfer/", sender.body(recipient, 1)) for sender in senders)
    )

    assert {status for status, _ in answers} == {201}
    assert sorted(int(answer["position"]) for _, answer in answers) == list(range(12))
