"""Audit of accounts: what came from the chain is counted once, and nobody made money."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.audit.faults import LIMIT, Faults

_CHAIN_TOTALS: Final = text("""
WITH moved AS (
    SELECT wallet_id, eon, sum(deposited) AS deposited, sum(withdrawn) AS withdrawn FROM (
        SELECT wallet_id, eon, amount AS deposited, 0 AS withdrawn FROM deposit
        UNION ALL
        SELECT wallet_id, eon, 0, amount FROM withdrawal_request
        WHERE wallet_id IS NOT NULL AND status <> 'slashed'
    ) AS movements GROUP BY wallet_id, eon
)
SELECT COALESCE(a.wallet_id, m.wallet_id), COALESCE(a.eon, m.eon)
FROM wallet_eon a FULL JOIN moved m ON m.wallet_id = a.wallet_id AND m.eon = a.eon
WHERE (COALESCE(a.deposited, 0), COALESCE(a.withdrawn, 0))
      <> (COALESCE(m.deposited, 0), COALESCE(m.withdrawn, 0))
LIMIT :limit
""")
_ALLOTMENTS: Final = text("""
SELECT a.wallet_id, a.eon FROM wallet_eon a
LEFT JOIN root_commitment c ON c.eon = a.eon
LEFT JOIN exclusive_balance_allotment b ON b.wallet_id = a.wallet_id AND b.eon = a.eon
WHERE a.allotment IS DISTINCT FROM
      CASE WHEN c.eon IS NULL THEN NULL ELSE COALESCE(b.right_bound - b.left_bound, 0) END
LIMIT :limit
""")
_OVERSPENT: Final = text("""
SELECT a.wallet_id, a.eon FROM wallet_eon a
LEFT JOIN wallet_eon p ON a.allotment IS NULL AND p.wallet_id = a.wallet_id AND p.eon = a.eon - 1
WHERE COALESCE(a.allotment, 0) + a.deposited + a.receipt_total + a.gained - a.spent
      + CASE WHEN a.allotment IS NULL THEN
          COALESCE(p.allotment + p.deposited + p.receipt_total + p.gained - p.spent, 0)
        ELSE 0 END < 0
LIMIT :limit
""")
# Trades move as much out of debit wallets as into credit wallets. Only the change of a finalised
# buy order is spent in its eon without being received: the next checkpoint returns it.
_CONSERVATION: Final = text("""
SELECT w.token_id, a.eon FROM wallet_eon a JOIN wallet w ON w.id = a.wallet_id
LEFT JOIN (
    SELECT sender_id, eon, sum(amount - matched_out) AS amount FROM transfer
    WHERE swap AND recipient_finalization_active_state_id IS NOT NULL AND appended AND NOT voided
    GROUP BY sender_id, eon
) AS change ON change.sender_id = a.wallet_id AND change.eon = a.eon
GROUP BY w.token_id, a.eon
HAVING sum(a.receipt_total) <> sum(a.spent - a.gained - COALESCE(change.amount, 0))
""")


def verify_accounts(session: Session) -> Faults:
    """Check every account's deposits, requests, allotment and that its wallet did not overspend.

    In each token and eon, what was received is what was spent.
    """
    faults = Faults()

    def note(query: Any, fault: str) -> None:
        for row in session.execute(query, {"limit": LIMIT}):
            faults.note(f"wallet {row[0]} eon {row[1]}: {fault}")

    note(_CHAIN_TOTALS, "deposits or requests differ from the account")
    note(_ALLOTMENTS, "the account's allotment differs from the checkpoint's")
    note(_OVERSPENT, "more was spent than there was")
    for row in session.execute(_CONSERVATION):
        faults.note(f"token {row[0]} eon {row[1]}: what was received is not what was spent")
    return faults
