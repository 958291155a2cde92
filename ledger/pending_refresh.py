"""Keeping the published contract's running total of pending requests without holes.

Its ring of five eons falls back to an older, larger total when an eon passes without a write; the
bound then refuses every proof of the token. So each eon gets a write, if need be one of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.clock import find_view
from ledger.rules import LedgerRules
from protocol.address import Address

# What the head shows counts: if it leaves the chain, the token is found again.
_LACKING: Final = text("""
SELECT t.address, t.short_name FROM token t
WHERE t.state = 'active'
  AND EXISTS (SELECT FROM withdrawal_request r WHERE r.token_id = t.id)
  AND NOT EXISTS (
      SELECT FROM chain_event e
      WHERE e.eon = :eon AND NOT e.orphaned AND e.arguments->>'token' = encode(t.address, 'hex')
        AND e.name IN ('WithdrawalRequest', 'WithdrawalConfirmation', 'WithdrawalSlashed')
  )
ORDER BY t.trail
""")


@dataclass(frozen=True, slots=True)
class LackingToken:
    """A token that had requests and has had none, nor a payment, in `eon` so far."""

    address: Address
    short_name: str
    eon: int


def lacking_tokens(session: Session, rules: LedgerRules) -> list[LackingToken]:
    """List the tokens that need a write of ours in this eon; from the middle of the eon on."""
    view = find_view(session)
    if view is None or not rules.edition.needs_pending_refresh or view.intake == "halted":
        return []
    if rules.clock.sub_block(view.latest_block) < rules.clock.blocks_per_eon // 2:
        return []
    rows = session.execute(_LACKING, {"eon": view.current_eon})
    return [LackingToken(bytes(row.address), row.short_name, view.current_eon) for row in rows]
