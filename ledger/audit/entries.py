"""Audit of what wallets sent: every set is rebuilt, every signature recovered."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.audit.faults import Faults
from ledger.rules import LedgerRules
from protocol.markers import minimum_available_balance_digest
from protocol.signing import is_signed_by
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.transaction_set import EMPTY

FETCH_ROWS: Final = 5_000

# Wallets with orders in an eon are judged by the orders' own audit: their leaves change.
_ENTRIES: Final = text("""
SELECT x.id, x.sender_id, x.eon, x.amount, x.nonce, x.position, x.sender_active_state_id,
       s.spent, s.gained, s.tx_set_hash, s.tx_set_index, s.tx_set_proof_hashes,
       s.wallet_signature, s.operator_signature,
       m.amount AS marker_amount, m.signature AS marker_signature,
       w.address, w.trail_identifier, t.address AS token,
       r.address AS recipient, r.trail_identifier AS recipient_trail,
       a.spent AS account_spent, a.entry_count, a.frontier, a.last_transfer_id, a.last_state_id,
       a.last_leaf, a.last_position
FROM transfer x
JOIN active_state s ON s.id = x.sender_active_state_id
JOIN minimum_available_balance_marker m ON m.id = x.sender_marker_id
JOIN wallet w ON w.id = x.sender_id JOIN token t ON t.id = w.token_id
JOIN wallet r ON r.id = x.recipient_id
JOIN wallet_eon a ON a.wallet_id = x.sender_id AND a.eon = x.eon
WHERE NOT x.swap AND NOT x.voided AND NOT EXISTS (
    SELECT FROM transfer o WHERE o.swap AND o.eon = x.eon
      AND (o.sender_id = x.sender_id OR o.recipient_id = x.sender_id)
)
ORDER BY x.sender_id, x.eon, s.tx_set_index
""")


def verify_entries(session: Session, rules: LedgerRules) -> Faults:
    """Rebuild each wallet's set of each eon and compare every state on the way."""
    faults = Faults()
    rows = session.execute(_ENTRIES, execution_options={"yield_per": FETCH_ROWS})
    for (wallet_id, eon), entries in groupby(rows, key=lambda row: (row.sender_id, row.eon)):
        _verify_set(f"wallet {wallet_id} eon {eon}", entries, rules, faults)
    return faults


def _verify_set(name: str, entries: Iterable[Any], rules: LedgerRules, faults: Faults) -> None:
    frontier, leaf, spent, row = EMPTY, b"", 0, None
    for row in entries:
        if leaf:
            frontier = frontier.append(leaf)
        spent += row.amount
        entry = f"{name} transfer {row.id}"
        root = frontier.root_with(_leaf(row, LAST_POSITION))
        faults.expect(row.tx_set_index == frontier.count, f"{entry}: its index leaves a gap")
        faults.expect(bytes(row.tx_set_hash) == root, f"{entry}: the rebuilt set differs")
        path = b"".join(frontier.path_with())
        faults.expect(bytes(row.tx_set_proof_hashes) == path, f"{entry}: its path differs")
        faults.expect(row.spent == spent and row.gained == 0, f"{entry}: its totals differ")
        _verify_signatures(entry, row, rules, faults)
        leaf = _leaf(row, row.position)
    if row is None:
        return
    kept = (row.entry_count, row.account_spent, row.last_transfer_id, row.last_state_id)
    found = (frontier.count + 1, spent, row.id, row.sender_active_state_id)
    faults.expect(kept == found, f"{name}: the account differs from its last entry")
    peaks = frontier.to_bytes() == bytes(row.frontier)
    faults.expect(peaks and leaf == bytes(row.last_leaf), f"{name}: the frontier differs")
    faults.expect(row.position == row.last_position, f"{name}: the passive marker differs")


def _verify_signatures(entry: str, row: Any, rules: LedgerRules, faults: Faults) -> None:
    wallet, token = bytes(row.address), bytes(row.token)
    state = active_state_digest(
        contract=rules.contract,
        token=token,
        wallet=wallet,
        trail=row.trail_identifier,
        eon=row.eon,
        tx_set_root=bytes(row.tx_set_hash),
        spent=row.spent,
        gained=row.gained,
    )
    marker = minimum_available_balance_digest(
        contract=rules.contract, token=token, wallet=wallet, eon=row.eon, amount=row.marker_amount
    )
    operator = rules.operator.address
    for name, digest, signature, signer in (
        ("wallet's signature", state, row.wallet_signature, wallet),
        ("countersignature", state, row.operator_signature or b"", operator),
        ("marker", marker, row.marker_signature, wallet),
    ):
        faults.expect(is_signed_by(digest, bytes(signature), signer), f"{entry}: bad {name}")


def _leaf(row: Any, position: int) -> bytes:
    return transfer_leaf(
        counterparty=bytes(row.recipient),
        amount=row.amount,
        recipient_trail=row.recipient_trail,
        position=position,
        nonce=row.nonce,
    )
