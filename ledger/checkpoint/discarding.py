"""Forgetting a checkpoint that nobody has heard of, so that it is built anew."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from ledger.checkpoint.building import BUILDING_LOCK, LOCK_CLASS
from ledger.clock import cursor_of
from ledger.eon_lock import hold_eon
from ledger.refusals import LedgerInvariant
from models import RootCommitment

_FORGET: Final = tuple(
    text(statement)
    for statement in (
        "DELETE FROM exclusive_balance_allotment WHERE eon = :eon",
        "DELETE FROM balance_tree_level WHERE eon = :eon",
        "DELETE FROM token_commitment WHERE eon = :eon",
        "DELETE FROM root_commitment WHERE eon = :eon",
        "UPDATE wallet_eon SET allotment = NULL WHERE eon = :eon",
        "UPDATE unclaimed_claim SET eon = NULL WHERE eon = :eon",
    )
)


def discard_checkpoint(session: Session, eon: int) -> bool:
    """Forget the checkpoint of `eon`; False if there is none.

    The eon before stays closed. Accounts of `eon` stand again as they did before the checkpoint:
    what the eon before left them counts, whatever it is once somebody has mended it. Requests that
    the building blocked stay so. Raises `LedgerInvariant` for one that wallets were told of, for a
    wallet believes the first root that it hears of.
    """
    session.execute(BUILDING_LOCK, {"lock_class": LOCK_CLASS, "eon": eon})
    root = session.scalar(select(RootCommitment).where(RootCommitment.eon == eon).with_for_update())
    if root is None:
        return False
    if root.announced_at is not None:
        raise LedgerInvariant(f"the checkpoint of eon {eon} is announced: it is never built again")
    hold_eon(cursor_of(session), eon)
    for statement in _FORGET:
        session.execute(statement, {"eon": eon})
    session.expire_all()
    return True
