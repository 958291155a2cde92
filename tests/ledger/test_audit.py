"""The audit sees whatever is altered behind the ledger's back."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.ledger.paying import Bank
from tests.ledger.world import World

pytestmark = pytest.mark.timeout(300)

OTHER = "decode(repeat('ab', 32), 'hex')"
SIGNATURE = "decode(repeat('ab', 65), 'hex')"
LAST = "WHERE id = (SELECT max(id) FROM {0})"
ALTERATIONS = {
    "a state's root": (f"UPDATE active_state SET tx_set_hash = {OTHER}", "rebuilt set"),
    "a state's path": ("UPDATE active_state SET tx_set_proof_hashes = ''", "path"),
    "a state's totals": ("UPDATE active_state SET spent = spent + 1", "totals"),
    "a state's index": ("UPDATE active_state SET tx_set_index = tx_set_index + 1", "gap"),
    "a wallet's signature": (f"UPDATE active_state SET wallet_signature = {SIGNATURE}", "wallet's"),
    "a countersignature": ("UPDATE active_state SET operator_signature = NULL", "countersignature"),
    "a marker": ("UPDATE minimum_available_balance_marker SET amount = amount + 1", "marker"),
    "an amount": ("UPDATE transfer SET amount = amount + 1 " + LAST.format("transfer"), "totals"),
    "a position": (
        "UPDATE transfer SET position = position + 1 " + LAST.format("transfer"),
        "tile",
    ),
    "a receipt's index": (
        "UPDATE transfer SET receipt_index = 7 " + LAST.format("transfer"),
        "tile",
    ),
    "an account's entries": ("UPDATE wallet_eon SET spent = spent + 1", "last entry"),
    "a frontier": (f"UPDATE wallet_eon SET last_leaf = {OTHER}", "frontier"),
    "a passive marker": (
        "UPDATE wallet_eon SET last_position = 1 WHERE entry_count > 0",
        "passive",
    ),
    "a running total": (
        "UPDATE wallet_eon SET receipt_total = receipt_total + 1, receipt_count = 1",
        "running total",
    ),
    "a deposit": ("UPDATE deposit SET amount = amount + 1", "deposits or requests"),
    "a credit": ("UPDATE wallet_eon SET deposited = deposited + 1", "deposits or requests"),
    "an account's allotment": (
        "UPDATE wallet_eon SET allotment = allotment + 1 WHERE allotment IS NOT NULL",
        "allotment differs",
    ),
    "an interval": (
        "UPDATE exclusive_balance_allotment SET right_bound = right_bound + 1",
        "gap or overlaps",
    ),
    "a passive root": (
        f"UPDATE exclusive_balance_allotment SET passive_root = {OTHER}",
        "balance root differs",
    ),
    "a committed state": (
        f"UPDATE exclusive_balance_allotment SET active_state_digest = {OTHER}",
        "does not verify",
    ),
    "a stored level": (
        "UPDATE balance_tree_level SET hashes = overlay(hashes PLACING '\\x00' FROM 1 FOR 1)",
        "stored levels differ",
    ),
    "a balance root": (f"UPDATE token_commitment SET balance_root = {OTHER}", "root differs"),
    "an upper bound": (
        "UPDATE token_commitment SET upper_bound = upper_bound + 1",
        "all the money",
    ),
    "a checkpoint's root": (f"UPDATE root_commitment SET merkle_root = {OTHER}", "root differs"),
    "a membership": ("UPDATE eon_membership SET wallet_count = wallet_count + 1", "is missing"),
    "a missing leaf": (
        "DELETE FROM exclusive_balance_allotment WHERE wallet_id = "
        "(SELECT max(wallet_id) FROM exclusive_balance_allotment)",
        "is missing",
    ),
}


@pytest.fixture
def bank(ledger: World) -> Bank:
    """A sound ledger: payments in two eons, a checkpoint between them."""
    bank = Bank(ledger)
    for name in ("a", "b", "c"):
        ledger.admit(name)
        ledger.deposit(name, 100)
    pay_around(bank)
    bank.turn()
    pay_around(bank)
    return bank


def pay_around(bank: Bank) -> None:
    bank.must_pay("a", "b", 10, 1)
    bank.must_pay("a", "c", 20, 2)
    bank.must_pay("b", "c", 30, 3)
    bank.must_pay("c", "a", 0, 4)


def test_a_sound_ledger_has_no_faults_and_every_alteration_is_seen(bank: Bank) -> None:
    assert bank.faults() == []
    unseen = {name: seen for name in ALTERATIONS if not (seen := sees(bank, name))[0]}
    assert unseen == {}
    assert bank.faults() == []


def sees(bank: Bank, alteration: str) -> tuple[bool, list[str]]:
    """Alter, audit, and take the alteration back."""
    from ledger.audit import verify_ledger

    statement, expected = ALTERATIONS[alteration]
    with bank.world.sessions() as session:
        changed = session.execute(text(statement)).rowcount  # type: ignore[attr-defined]
        faults = verify_ledger(session, bank.world.rules)
        session.rollback()
    return changed > 0 and any(expected in fault for fault in faults), faults
