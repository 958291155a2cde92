"""Transfers: what is refused and why, what is accepted and what it does to the accounts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from ledger.refusals import Refusal
from ledger.terms import record_terms, sign_terms
from ledger.transfers import TransferAccepted, TransferRefused
from models import (
    ActiveState,
    MinimumAvailableBalanceMarker,
    Notification,
    ServiceLevelAgreement,
    TermsOfService,
    Transfer,
)
from protocol.keccak import keccak256
from protocol.signing import recover
from protocol.states import active_state_digest
from protocol.terms import terms_digest
from protocol.trees import plain
from tests.ledger.paying import Bank, Sent
from tests.ledger.world import CONTRACT, ETH, LQD, World, key

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def bank(ledger: World) -> Iterator[Bank]:
    """A bank whose ledger must hold when the test is over."""
    bank = Bank(ledger)
    yield bank
    assert bank.faults() == []


def fund(bank: Bank, amounts: dict[str, int], token: bytes = ETH) -> None:
    for name, amount in amounts.items():
        bank.world.admit(name, token)
        if amount:
            bank.world.deposit(name, amount, token)


def test_the_older_leaf_learns_its_position_when_the_next_transfer_is_appended(bank: Bank) -> None:
    fund(bank, {"a": 1000, "b": 0, "c": 0, "d": 30})
    bank.must_pay("d", "b", 30, 1)
    first = bank.must_pay("a", "b", 100, 11, marker=900)
    assert (first.spent, first.gained, first.tx_set_index, first.tx_set_proof) == (100, 0, 0, ())
    assert first.position == 30
    second = bank.must_pay("a", "c", 50, 12)
    b = bank.wallet("b")
    first_leaf = Sent(bytes(b.address), b.trail_identifier or 0, 100, 11, 30).leaf(30)
    assert (second.spent, second.tx_set_index, second.position) == (150, 1, 0)
    assert second.tx_set_proof == (first_leaf,)
    c = bank.wallet("c")
    last = Sent(bytes(c.address), c.trail_identifier or 0, 50, 12, 0).leaf(2**256 - 1)
    assert plain.verify_path(last, 1, second.tx_set_proof, second.tx_set_hash)


def test_the_operator_countersigns_exactly_the_state_that_the_wallet_signed(bank: Bank) -> None:
    fund(bank, {"a": 10, "b": 0})
    accepted = bank.must_pay("a", "b", 10, 1)
    digest = active_state_digest(
        contract=CONTRACT,
        token=ETH,
        wallet=key("a").address,
        trail=accepted.sender.trail,
        eon=1,
        tx_set_root=accepted.tx_set_hash,
        spent=10,
        gained=0,
    )
    assert recover(digest, accepted.operator_signature) == bank.world.rules.operator.address
    assert recover(digest, accepted.wallet_signature) == key("a").address


def test_a_set_hashed_with_the_old_leaf_still_last_is_refused_and_may_be_repeated(
    bank: Bank,
) -> None:
    fund(bank, {"a": 100, "b": 0, "c": 5})
    bank.must_pay("c", "b", 5, 1)
    bank.must_pay("a", "b", 10, 2)
    assert bank.refusal("a", "b", 10, 3, stale_leaf=True) == "INVALID_DEBIT_SIGNATURE"
    bank.must_pay("a", "b", 10, 3)


def test_a_wallet_pays_to_its_last_unit_and_then_only_nothing(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0})
    assert bank.refusal("a", "b", 101, 1) == "DEBIT_WALLET_OVERSPENDING"
    bank.must_pay("a", "b", 100, 1)
    assert bank.balances("a").loosely_available == 0
    assert bank.refusal("a", "b", 1, 2) == "DEBIT_WALLET_OVERSPENDING"
    bank.must_pay("a", "b", 0, 2)
    with bank.world.begin() as session:
        rows = session.scalars(
            select(Notification)
            .where(Notification.event == "TRANSFER_CONFIRMATION")
            .order_by(Notification.id)
        ).all()
    names = [f"wallet/{CONTRACT.hex()}/{key(name).address.hex()}" for name in ("b", "a")]
    assert [[s.lower() for s in row.streams] for row in rows] == [names, names]
    assert all(row.transfer_id is not None and row.payload is None for row in rows)


def test_a_marker_may_promise_less_but_not_more_than_what_is_left(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0, "c": 100})
    too_much = "DEBIT_WALLET_BALANCE_MARKER_EXCEED_BALANCE"
    assert bank.refusal("a", "b", 40, 1, marker=61) == too_much
    bad = bank.refusal("a", "b", 40, 1, marker=60, marker_eon=0)
    assert bad == "INVALID_DEBIT_BALANCE_SIGNATURE"
    bank.must_pay("a", "b", 40, 1, marker=60)
    bank.must_pay("c", "b", 40, 2, marker=10)


def test_a_nonce_serves_once_for_the_sender_and_once_for_the_recipient(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0, "c": 0, "d": 100})
    bank.must_pay("a", "b", 1, 7)
    assert bank.refusal("a", "c", 1, 7) == "unique"
    assert bank.refusal("d", "b", 1, 7) == "unique"
    assert bank.refusal("a", "b", 1, 7) == "unique"
    bank.turn()
    bank.must_pay("a", "b", 1, 7)


def test_a_repeated_request_is_unique_twice_whatever_else_is_wrong_with_it(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0})
    request = bank.request("a", "b", 100, 7)
    [first, again] = bank.append(request, request)
    assert isinstance(first, TransferAccepted)
    assert isinstance(again, TransferRefused)
    assert [reason.code for reason in again.reasons] == ["unique", "unique"]


def test_money_never_changes_into_another_token(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0})
    fund(bank, {"a": 0, "b": 0}, LQD)
    mismatch = "DEBIT_CREDIT_TOKEN_ADDRESS_MISMATCH"
    assert bank.refusal("a", "a", 1, 1) == "DEBIT_CREDIT_WALLET_ADDRESS_MATCH"
    assert bank.refusal("a", "b", 1, 1, credit_token=LQD) == mismatch
    assert bank.refusal("a", "a", 1, 1, credit_token=LQD) == mismatch
    assert bank.balances("a").loosely_available == 100
    assert bank.balances("b", LQD).loosely_available == 0


def test_unknown_wallets_and_tokens_are_named_by_field_together(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0})
    known = bank.request("a", "b", 1, 1)
    stranger, nothing = key("stranger").address, b"\x07" * 20
    [both] = bank.append(replace(known, debit_token=nothing, credit_address=stranger))
    assert isinstance(both, TransferRefused)
    assert [(reason.code, reason.field) for reason in both.reasons] == [
        ("TOKEN_NOT_REGISTERED", "wallet"),
        ("WALLET_NOT_ADMITTED", "recipient"),
    ]


def test_a_sender_that_never_agreed_to_the_terms_learns_nothing_else(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0})
    request = bank.request("a", "b", 1, 1)
    [verdict] = bank.append(replace(request, debit_address=key("stranger").address, eon=9))
    assert isinstance(verdict, TransferRefused)
    assert [reason.code for reason in verdict.reasons] == ["INVALID_TOS_SIGNATURE"]


def test_only_the_current_eon_is_paid_in(bank: Bank) -> None:
    fund(bank, {"a": 80, "b": 0})
    bank.turn()
    for eon in (1, 3):
        assert bank.refusal("a", "b", 1, 1, eon=eon) == "EON_NUMBER_OUT_OF_SYNC"
    bank.must_pay("a", "b", 1, 1, eon=2)


def test_what_the_last_eon_left_may_be_spent_before_the_checkpoint_and_not_twice(
    bank: Bank,
) -> None:
    fund(bank, {"a": 80, "b": 0})
    bank.world.move_to_eon(2)
    assert bank.refusal("a", "b", 81, 1) == "DEBIT_WALLET_OVERSPENDING"
    bank.must_pay("a", "b", 50, 1)
    bank.checkpoint(2)
    assert bank.balances("a").loosely_available == 30
    assert bank.refusal("a", "b", 31, 2) == "DEBIT_WALLET_OVERSPENDING"
    bank.must_pay("a", "b", 30, 2)


def test_receipts_of_many_senders_tile_without_hole(bank: Bank) -> None:
    senders = [f"s{number}" for number in range(20)]
    fund(bank, {"r": 0, "x": 0, **dict.fromkeys(senders, 1)})
    requests = [bank.request(name, "r", 1, nonce) for nonce, name in enumerate(senders)]
    verdicts = []

    def append(part: list) -> None:  # type: ignore[type-arg]
        verdicts.extend(bank.append(*part))

    threads = [threading.Thread(target=append, args=(requests[i::5],)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    positions = [v.position for v in verdicts if isinstance(v, TransferAccepted)]
    assert sorted(positions) == list(range(20))
    assert bank.balances("r").loosely_available == 20
    bank.must_pay("r", "x", 20, 1)


def test_of_two_transfers_on_the_same_base_one_is_accepted(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0, "c": 0})
    pair = [bank.request("a", name, 60, nonce) for nonce, name in enumerate("bc")]
    verdicts = []

    def append(index: int) -> None:
        verdicts.extend(bank.append(pair[index]))

    threads = [threading.Thread(target=append, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = sorted(v.code for v in verdicts if isinstance(v, Refusal))
    assert codes in (["DEBIT_WALLET_OVERSPENDING"], ["INVALID_DEBIT_SIGNATURE"])
    assert bank.balances("a").loosely_available == 40


def test_a_batch_sees_its_own_earlier_transfers(bank: Bank) -> None:
    fund(bank, {"a": 60, "b": 0, "c": 0})
    to_b = bank.request("a", "b", 60, 1)
    on = bank.request("b", "c", 60, 2)
    broke = bank.request("a", "c", 1, 3)
    first, second, third = bank.append(to_b, on, broke)
    assert isinstance(first, TransferAccepted)
    assert isinstance(second, TransferAccepted)
    assert isinstance(third, Refusal)
    assert third.code == "DEBIT_WALLET_OVERSPENDING"
    assert bank.balances("c").loosely_available == 60


def test_a_refused_transfer_leaves_nothing_behind(bank: Bank) -> None:
    fund(bank, {"a": 10, "b": 0})
    bank.refusal("a", "b", 11, 1)
    bank.refusal("a", "b", 1, 1, marker=10)
    with bank.world.begin() as session:
        for table in (Transfer, ActiveState, MinimumAvailableBalanceMarker):
            assert session.scalar(select(func.count()).select_from(table)) == 0


class TestQuota:
    @pytest.fixture
    def bank(self, ledger: World) -> Iterator[Bank]:
        ledger.rules = replace(ledger.rules, sla_threshold=3)
        bank = Bank(ledger)
        yield bank
        assert bank.faults() == []

    def test_beyond_the_threshold_an_agreement_is_needed_until_the_next_eon(
        self, bank: Bank
    ) -> None:
        fund(bank, {"a": 100, "b": 0})
        for nonce in range(3):
            bank.must_pay("a", "b", 1, nonce)
        assert bank.refusal("a", "b", 1, 3) == "DEBIT_WALLET_EXCEEDED_SLA"
        paid = bank.must_pay("a", "operator", 1, 4)
        assert bank.refusal("a", "b", 1, 5) == "DEBIT_WALLET_EXCEEDED_SLA"
        with bank.world.begin() as session:
            agreement = ServiceLevelAgreement(
                address=key("a").address,
                transfer_id=paid.id,
                beginning=func.now(),
                expiry=func.now() + timedelta(days=30),
            )
            session.add(agreement)
        bank.must_pay("a", "b", 1, 5)
        with bank.world.begin() as session:
            session.execute(text("UPDATE service_level_agreement SET beginning = '2000-01-01'"))
            session.execute(text("UPDATE service_level_agreement SET expiry = '2000-01-02'"))
        bank.turn()
        for nonce in range(3):
            bank.must_pay("a", "b", 1, nonce)
        assert bank.refusal("a", "b", 1, 3) == "DEBIT_WALLET_EXCEEDED_SLA"

    def test_receiving_has_no_quota(self, bank: Bank) -> None:
        names = [f"s{number}" for number in range(5)]
        fund(bank, {"r": 0, **dict.fromkeys(names, 1)})
        for nonce, name in enumerate(names):
            bank.must_pay(name, "r", 1, nonce)


def test_new_terms_bar_a_wallet_after_their_grace_until_it_signs_them(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0})
    terms, privacy = keccak256(b"new terms"), keccak256(b"new privacy")
    with bank.world.begin() as session:
        record_terms(session, terms=terms, privacy=privacy)
    bank.must_pay("a", "b", 1, 1)
    with bank.world.begin() as session:
        latest = session.scalar(select(TermsOfService).where(TermsOfService.terms_digest == terms))
        assert latest is not None
        # Older than the grace period, and still the latest.
        session.execute(text("UPDATE terms_of_service SET time = time - interval '8 days'"))
        session.execute(
            text("UPDATE terms_of_service SET time = time - interval '1 day' WHERE id <> :id"),
            {"id": latest.id},
        )
    assert bank.refusal("a", "b", 1, 2) == "INVALID_TOS_SIGNATURE"
    with bank.world.begin() as session:
        sign_terms(session, key("a").address, key("a").sign(terms_digest(terms, privacy)))
    bank.must_pay("a", "b", 1, 2)


def test_a_closed_intake_refuses_before_anything_is_looked_at(bank: Bank) -> None:
    fund(bank, {"a": 100, "b": 0})
    with bank.world.begin() as session:
        session.execute(text("UPDATE chain_view SET intake = 'halted'"))
    assert bank.refusal("a", "b", 1000, 1) == "INTAKE_CLOSED"
