"""The end of an eon for its orders, inside the transaction that closes it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.rules import LedgerRules
from protocol.editions import ContractEdition

# A copy that was never countersigned is no entry: the order ended without it.
_VOID_UNCONFIRMED: Final = text("""
UPDATE transfer SET voided = true, processed = true, awaits_match = false
WHERE swap AND eon >= :eon AND NOT voided AND tx_id IN (
    SELECT tx_id FROM transfer
    WHERE swap AND eon = :eon AND NOT appended AND NOT voided
)
""")
# Frozen and not cancelled: the order ends here.
_VOID_AFTER_FREEZE: Final = text("""
UPDATE transfer SET voided = true, processed = true, awaits_match = false
WHERE swap AND eon > :eon AND NOT voided AND tx_id IN (
    SELECT tx_id FROM transfer
    WHERE swap AND eon = :eon AND cancelled AND appended AND NOT processed AND NOT voided
)
""")
_RELEASE: Final = text("""
UPDATE wallet_eon SET open_order_id = NULL, reserved = 0
FROM transfer
WHERE transfer.id = wallet_eon.open_order_id AND wallet_eon.eon >= :eon
  AND transfer.swap AND transfer.eon >= :eon AND transfer.voided
""")
_CARRY: Final = text("""
UPDATE transfer SET matched_out = ended.matched_out, matched_in = ended.matched_in,
                    awaits_match = ended.awaits_match AND NOT transfer.voided
FROM transfer AS ended
WHERE ended.swap AND ended.eon = :eon AND ended.appended AND NOT ended.processed
  AND NOT ended.voided AND transfer.tx_id = ended.tx_id AND transfer.eon = :eon + 1
""")
_RETIRE: Final = text("""
UPDATE transfer SET processed = true, cancelled = false, awaits_match = false
WHERE swap AND eon = :eon AND appended AND NOT processed AND NOT voided
""")
_TRADED: Final = text("""
SELECT x.id, x.amount, x.amount_swapped, x.matched_out, x.matched_in,
       a.deposited, a.withdrawn
FROM transfer x
JOIN wallet_eon a ON a.wallet_id = x.sender_id AND a.eon = x.eon
WHERE x.swap AND x.eon = :eon AND x.appended AND NOT x.processed AND NOT x.voided
  AND NOT x.complete
""")
_HOLD: Final = text("""
UPDATE transfer SET sender_held_back = :sold, recipient_held_back = :bought WHERE id = :id
""")
ADJUSTMENTS: Final = """
    SELECT wallet_id, sum(amount) AS amount FROM (
        SELECT sender_id AS wallet_id, amount - matched_out AS amount FROM transfer
        WHERE swap AND eon = :eon AND recipient_finalization_active_state_id IS NOT NULL
          AND appended AND NOT voided
        UNION ALL SELECT sender_id, -sender_held_back FROM transfer WHERE swap AND eon = :eon
        UNION ALL SELECT recipient_id, -recipient_held_back FROM transfer WHERE swap AND eon = :eon
        UNION ALL SELECT sender_id, sender_held_back FROM transfer WHERE swap AND eon = :eon - 1
        UNION ALL
        SELECT recipient_id, recipient_held_back FROM transfer WHERE swap AND eon = :eon - 1
    ) AS parts GROUP BY wallet_id
"""
"""What the checkpoint after `:eon` adds to allotments beyond what the accounts say, by wallet.

The change of finalised buy orders, which no signed state can show within the eon; and, on a
contract that cannot prove them, gains of open orders: held back while the order is open, returned
by the next checkpoint, which holds back anew what must still wait.
"""


def retire_orders(session: Session, rules: LedgerRules, eon: int) -> None:
    """End the eon's part of every order, whose accounts nobody else can reach any more.

    Open and fulfilled copies become final and hand their totals to the next eon's copy. Frozen
    orders, and copies that were never confirmed, end with all their later copies.
    """
    for statement in (_VOID_UNCONFIRMED, _VOID_AFTER_FREEZE, _RELEASE, _CARRY):
        session.execute(statement, {"eon": eon})
    if rules.edition is ContractEdition.PUBLISHED:
        _hold_back(session, rules, eon)
    session.execute(_RETIRE, {"eon": eon})


def _hold_back(session: Session, rules: LedgerRules, eon: int) -> None:
    """Leave out of the next allotments what would make open orders impossible to answer for."""
    for row in session.execute(_TRADED, {"eon": eon}).all():
        bought = rules.edition.hold_back(
            sell=row.amount,
            buy=row.amount_swapped,
            matched_out=row.matched_out,
            matched_in=row.matched_in,
        )
        sold = rules.edition.hold_back_unsold(
            moved_in=row.deposited - row.withdrawn, matched_out=row.matched_out
        )
        if sold or bought:
            session.execute(_HOLD, {"id": row.id, "sold": sold, "bought": bought})
