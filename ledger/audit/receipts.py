"""Audit of what wallets received: positions tile the total, indices count up, tokens agree."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.audit.faults import LIMIT, Faults

_PLACES: Final = text("""
SELECT id FROM (
    SELECT id, position, receipt_index,
           sum(amount) OVER earlier AS before, row_number() OVER receipts - 1 AS place
    FROM transfer WHERE passive AND NOT voided
    WINDOW receipts AS (PARTITION BY recipient_id, eon ORDER BY receipt_index),
           earlier AS (PARTITION BY recipient_id, eon ORDER BY receipt_index
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS placed
WHERE position <> COALESCE(before, 0) OR receipt_index <> place
LIMIT :limit
""")
_TOTALS: Final = text("""
SELECT COALESCE(a.wallet_id, r.recipient_id), COALESCE(a.eon, r.eon)
FROM wallet_eon a
FULL JOIN (
    SELECT recipient_id, eon, sum(amount) AS total, count(*) AS number
    FROM transfer WHERE passive AND NOT voided GROUP BY recipient_id, eon
) r ON r.recipient_id = a.wallet_id AND r.eon = a.eon
WHERE (COALESCE(a.receipt_total, 0), COALESCE(a.receipt_count, 0))
      <> (COALESCE(r.total, 0), COALESCE(r.number, 0))
LIMIT :limit
""")
_TOKENS: Final = text("""
SELECT x.id FROM transfer x
JOIN wallet s ON s.id = x.sender_id JOIN wallet r ON r.id = x.recipient_id
WHERE x.passive AND s.token_id <> r.token_id LIMIT :limit
""")


def verify_receipts(session: Session) -> Faults:
    """Check every receipt's position and index, every running total, and that no money changes."""
    faults = Faults()

    def found(query: Any) -> Any:
        return session.execute(query, {"limit": LIMIT})

    for row in found(_PLACES):
        faults.note(f"transfer {row.id}: the receipts of its recipient do not tile")
    for row in found(_TOTALS):
        faults.note(f"wallet {row[0]} eon {row[1]}: the running total of receipts differs")
    for row in found(_TOKENS):
        faults.note(f"transfer {row.id}: sender and recipient hold different tokens")
    return faults
