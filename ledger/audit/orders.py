"""Audit of orders: their signatures, what was matched, and the sets of wallets that trade."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.audit.faults import LIMIT, Faults
from ledger.orders.sets import SetKey, read_sets
from ledger.rules import LedgerRules
from protocol.signing import is_signed_by
from protocol.states import active_state_digest
from protocol.trees import plain

BATCH: Final = 1_000

# What was matched is told three times: by the trades, by the copies, by the accounts.
_TOTALS: Final = text("""
WITH traded AS (
    SELECT tx_id, eon, sum(sold) AS sold, sum(bought) AS bought FROM (
        SELECT left_order_tx_id AS tx_id, eon, left_deducted AS sold, right_deducted AS bought
        FROM matching
        UNION ALL
        SELECT right_order_tx_id, eon, right_deducted, left_deducted FROM matching
    ) AS sides GROUP BY tx_id, eon
)
SELECT x.id FROM transfer x
LEFT JOIN transfer p ON p.tx_id = x.tx_id AND p.eon = x.eon - 1
LEFT JOIN traded t ON t.tx_id = x.tx_id AND t.eon = x.eon
WHERE x.swap AND x.appended AND NOT x.voided
  AND (x.matched_out - COALESCE(p.matched_out, 0), x.matched_in - COALESCE(p.matched_in, 0))
      <> (COALESCE(t.sold, 0), COALESCE(t.bought, 0))
LIMIT :limit
""")
_STRAY_TRADES: Final = text("""
SELECT m.id FROM matching m WHERE 2 <> (
    SELECT count(*) FROM transfer x JOIN wallet s ON s.id = x.sender_id
    JOIN wallet r ON r.id = x.recipient_id
    WHERE x.swap AND x.appended AND NOT x.voided AND x.eon = m.eon
      AND ((x.tx_id = m.left_order_tx_id AND s.token_id = m.left_token_id
            AND r.token_id = m.right_token_id)
        OR (x.tx_id = m.right_order_tx_id AND s.token_id = m.right_token_id
            AND r.token_id = m.left_token_id))
) LIMIT :limit
""")
_FLAGS: Final = text("""
SELECT id FROM transfer WHERE swap AND NOT voided AND (
    complete <> (matched_out = amount OR (NOT sell_order AND matched_in = amount_swapped))
      AND appended
    OR complete AND cancelled
    OR awaits_match AND (complete OR processed OR cancelled)
    OR NOT appended AND complete
) LIMIT :limit
""")
# A wallet is held exactly as long as an order of its eon has not ended.
_HELD: Final = text("""
SELECT a.wallet_id, a.eon FROM wallet_eon a
LEFT JOIN eon e ON e.number = a.eon AND e.closed_at IS NOT NULL
LEFT JOIN transfer x ON x.swap AND x.eon = a.eon AND NOT x.processed AND NOT x.voided
     AND (x.sender_id = a.wallet_id OR x.recipient_id = a.wallet_id)
WHERE e.number IS NULL AND a.open_order_id IS DISTINCT FROM x.id
LIMIT :limit
""")
_TRADERS: Final = text("""
SELECT DISTINCT wallet_id, eon FROM (
    SELECT sender_id AS wallet_id, eon FROM transfer WHERE swap AND appended AND NOT voided
    UNION ALL
    SELECT recipient_id, eon FROM transfer WHERE swap AND appended AND NOT voided
) AS sides ORDER BY wallet_id, eon
""")
_COMMITTED: Final = text("""
SELECT a.wallet_id, a.eon, a.entry_count, a.last_transfer_id, s.tx_set_hash, s.tx_set_index,
       s.operator_signature IS NOT NULL AS countersigned
FROM unnest(:wallets ::bigint[], :eons ::bigint[]) AS n (wallet_id, eon)
JOIN wallet_eon a ON a.wallet_id = n.wallet_id AND a.eon = n.eon
JOIN active_state s ON s.id = a.last_state_id
""")
_STATES: Final = text("""
SELECT s.id, s.eon, s.spent, s.gained, s.tx_set_hash, s.wallet_signature, s.operator_signature,
       w.address, w.trail_identifier, t.address AS token
FROM active_state s JOIN wallet w ON w.id = s.wallet_id JOIN token t ON t.id = w.token_id
WHERE s.id IN (
    SELECT unnest(ARRAY[sender_active_state_id, recipient_active_state_id,
        recipient_fulfillment_active_state_id, recipient_finalization_active_state_id,
        sender_cancellation_active_state_id, recipient_cancellation_active_state_id])
    FROM transfer WHERE swap
)
""")


def verify_orders(session: Session, rules: LedgerRules) -> Faults:
    """Check every order's states, totals and flags, and rebuild the sets that hold orders."""
    faults = Faults()
    for query, fault in (
        (_TOTALS, "order {}: its totals are not its trades"),
        (_STRAY_TRADES, "trade {}: it does not have two orders of opposite directions"),
        (_FLAGS, "order {}: its flags contradict each other"),
        (_HELD, "wallet {}: it is held by no order, or free beside one"),
    ):
        for row in session.execute(query, {"limit": LIMIT}):
            faults.note(fault.format(row[0]))
    for row in session.execute(_STATES, execution_options={"yield_per": BATCH}):
        _verify_state(row, rules, faults)
    keys = [(row.wallet_id, row.eon) for row in session.execute(_TRADERS).all()]
    for first in range(0, len(keys), BATCH):
        _verify_sets(session, keys[first : first + BATCH], faults)
    return faults


def _verify_state(row: Any, rules: LedgerRules, faults: Faults) -> None:
    digest = active_state_digest(
        contract=rules.contract,
        token=bytes(row.token),
        wallet=bytes(row.address),
        trail=row.trail_identifier,
        eon=row.eon,
        tx_set_root=bytes(row.tx_set_hash),
        spent=row.spent,
        gained=row.gained,
    )
    signed = is_signed_by(digest, bytes(row.wallet_signature), bytes(row.address))
    faults.expect(signed, f"state {row.id}: bad wallet's signature")
    if row.operator_signature is not None:
        countersigned = is_signed_by(digest, bytes(row.operator_signature), rules.operator.address)
        faults.expect(countersigned, f"state {row.id}: bad countersignature")


def _verify_sets(session: Session, keys: list[SetKey], faults: Faults) -> None:
    sets = read_sets(session, keys)
    arguments = {"wallets": [key[0] for key in keys], "eons": [key[1] for key in keys]}
    for row in session.execute(_COMMITTED, arguments):
        name = f"wallet {row.wallet_id} eon {row.eon}"
        entries = sets.get((row.wallet_id, row.eon), [])
        faults.expect(len(entries) == row.entry_count, f"{name}: an entry is missing")
        if not entries:
            continue
        root = plain.root([entry.leaf for entry in entries])
        faults.expect(root == bytes(row.tx_set_hash), f"{name}: the committed set differs")
        faults.expect(row.countersigned, f"{name}: the committed state is not countersigned")
        last = entries[-1].transfer_id == row.last_transfer_id
        faults.expect(
            last and row.tx_set_index == len(entries) - 1, f"{name}: the last entry differs"
        )
