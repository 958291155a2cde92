"""Transactions that were final in blocks which have left the chain: they are open again."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.duty_notices import notice
from ledger.transactions.spending import forget_cost
from models import ContractState, TransactionAttempt, TransactionIntent

ENDED_IN_A_BLOCK: Final = ("confirmed", "reverted", "cancelled")
OPENED: Final = "transaction-opened"


def revive_orphaned(session: Session, above: int) -> list[str]:
    """Open every transaction again whose block above a height is orphaned; returns their keys.

    A notice starts the workflow that follows it: the same bytes are sent, and may fail where the
    other branch is another world.
    """
    orphaned = select(ContractState.block_hash).where(
        ContractState.block > above, ContractState.orphaned
    )
    gone = {bytes(block_hash).hex() for block_hash in session.scalars(orphaned)}
    rows = session.scalars(
        select(TransactionIntent)
        .where(
            TransactionIntent.state.in_(ENDED_IN_A_BLOCK),
            TransactionIntent.result["block_hash"].astext.in_(gone),
            TransactionIntent.id.in_(select(TransactionAttempt.intent_id)),
        )
        .order_by(TransactionIntent.nonce)
        .with_for_update()
    ).all()
    for intent in rows:
        lost = (intent.result or {})["block_hash"]
        intent.state, intent.result = "broadcast", None
        arguments = {"intent_id": intent.id, "key": intent.key, "title": f"Send {intent.key} again"}
        notice(session, f"revive-{intent.key}-{lost[:16]}", OPENED, arguments)
    session.flush()
    for intent in rows:
        forget_cost(session, intent.id)
    return [intent.key for intent in rows]
