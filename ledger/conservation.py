"""Conservation of funds: what the wallets of a token own is what came in and has not gone out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models import RootCommitment

# What a wallet owned when the newest checkpoint was built is its allotment in that eon; since then
# its accounts tell. Its leaf has given back already what a slash on its way will cancel. A token
# with orders is left out until their eons are behind a checkpoint: parts of them are spent here and
# received elsewhere later.
_BOOKS: Final = text("""
WITH allotted AS (
    SELECT w.token_id, sum(a.right_bound - a.left_bound) AS amount
      FROM exclusive_balance_allotment a JOIN wallet w ON w.id = a.wallet_id
     WHERE a.eon = :eon GROUP BY w.token_id
), moved AS (
    SELECT w.token_id,
           sum(e.deposited + e.receipt_total + e.gained - e.spent - e.withdrawn) AS amount
      FROM wallet_eon e JOIN wallet w ON w.id = e.wallet_id
     WHERE e.eon >= :eon GROUP BY w.token_id
), traded AS (
    SELECT DISTINCT w.token_id
      FROM transfer t JOIN wallet w ON w.id IN (t.sender_id, t.recipient_id)
     WHERE t.eon >= :eon AND t.swap
), brought AS (
    SELECT w.token_id, sum(d.amount) AS amount
      FROM deposit d JOIN wallet w ON w.id = d.wallet_id GROUP BY w.token_id
), covered AS (
    SELECT c.token_id, sum(c.amount) AS amount
      FROM cover c JOIN transaction_intent i ON i.id = c.intent_id
     WHERE i.state = 'confirmed' GROUP BY c.token_id
), claimed AS (
    SELECT token_id, sum(amount) AS amount FROM unclaimed_claim
     WHERE eon IS NOT NULL GROUP BY token_id
), taken AS (
    SELECT token_id, sum(amount) AS amount FROM withdrawal_request
     WHERE wallet_id IS NOT NULL AND status <> 'slashed'
       AND NOT (status = 'slash_queued' AND eon < :eon) GROUP BY token_id
)
SELECT t.id, t.short_name,
       COALESCE(allotted.amount, 0) + COALESCE(moved.amount, 0),
       COALESCE(brought.amount, 0) + COALESCE(covered.amount, 0)
           + COALESCE(claimed.amount, 0) - COALESCE(taken.amount, 0)
  FROM token t
  LEFT JOIN allotted ON allotted.token_id = t.id
  LEFT JOIN moved ON moved.token_id = t.id
  LEFT JOIN brought ON brought.token_id = t.id
  LEFT JOIN covered ON covered.token_id = t.id
  LEFT JOIN claimed ON claimed.token_id = t.id
  LEFT JOIN taken ON taken.token_id = t.id
 WHERE t.id NOT IN (SELECT token_id FROM traded)
 ORDER BY t.id
""")


@dataclass(frozen=True, slots=True)
class TokenBooks:
    """One token, in its smallest units: what its wallets own, and what remains of what came in."""

    short_name: str
    owned: int
    remaining: int

    @property
    def difference(self) -> int:
        """What the wallets own too much; negative: what they lack."""
        return self.owned - self.remaining


def token_books(session: Session) -> list[TokenBooks]:
    """Add up every token without orders, from the newest checkpoint on.

    Costs one pass over the newest eons.
    """
    newest = select(RootCommitment.eon).order_by(RootCommitment.eon.desc()).limit(1)
    rows: list[Any] = list(session.execute(_BOOKS, {"eon": session.scalar(newest) or 0}))
    return [TokenBooks(short_name, int(owned), int(left)) for _, short_name, owned, left in rows]
