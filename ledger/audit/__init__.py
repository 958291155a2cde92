"""The audit: everything the ledger holds, recomputed from what wallets and the chain signed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.audit.accounts import verify_accounts
from ledger.audit.checkpoints import require_provable, verify_checkpoint
from ledger.audit.entries import verify_entries
from ledger.audit.faults import CheckpointInconsistent
from ledger.audit.orders import verify_orders
from ledger.audit.receipts import verify_receipts
from ledger.rules import LedgerRules
from ledger.set_joins import set_joins
from models import RootCommitment

__all__ = ["CheckpointInconsistent", "require_provable", "verify_checkpoint", "verify_ledger"]


def verify_ledger(session: Session, rules: LedgerRules) -> list[str]:
    """Recompute the whole ledger and list what contradicts it; empty when everything holds.

    Every signature is recovered, every transaction set rebuilt, every receipt's place checked,
    every account added up, every checkpoint hashed again. Memory stays small; time grows with the
    number of transfers. The lists are cut short: a broken rule shows in its first cases.
    """
    with set_joins(session):
        faults: list[str] = verify_entries(session, rules)
        faults += verify_receipts(session)
        faults += verify_accounts(session)
        faults += verify_orders(session, rules)
    for eon in session.scalars(select(RootCommitment.eon).order_by(RootCommitment.eon)).all():
        faults += verify_checkpoint(session, rules, eon)
    return faults
