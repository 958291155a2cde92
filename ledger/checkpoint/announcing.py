"""Telling wallets of a checkpoint, once its root is known to be good."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.notifications import Fact, tell_all
from ledger.refusals import LedgerInvariant
from models import RootCommitment, Token, TokenCommitment

EVENT: Final = "CHECKPOINT_CREATED"


class CheckpointMissing(LedgerInvariant):
    """A checkpoint that is not stored was to be announced."""


def announce_checkpoint(session: Session, eon: int) -> bool:
    """Tell every wallet of the checkpoint of `eon`; False if that has happened already.

    One fact a token, without streams: whoever serves connections expands it to the wallets of that
    token that listen. Call it after the bound was evaluated at the head: an announced root is
    never built again. Raises `CheckpointMissing`.
    """
    root = session.scalar(select(RootCommitment).where(RootCommitment.eon == eon).with_for_update())
    if root is None:
        raise CheckpointMissing(f"eon {eon} has no checkpoint")
    if root.announced_at is not None:
        return False
    tokens = session.scalars(
        select(TokenCommitment.token_id)
        .join(Token, Token.id == TokenCommitment.token_id)
        .where(TokenCommitment.eon == eon)
        .order_by(Token.trail)
    )
    tell_all(
        session,
        [Fact(EVENT, (), payload={"eon": eon, "token_id": token_id}) for token_id in tokens],
    )
    root.announced_at = func.now()
    session.flush()
    return True
