"""Signed states by id, in one query for all that are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.reading.values import SignedState, digests_of
from models import ActiveState


def signed_states(session: Session, ids: Iterable[int | None]) -> dict[int, SignedState]:
    """Read signed states; None among the ids stands for a state that is not there."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    rows = session.execute(
        select(
            ActiveState.id,
            ActiveState.wallet_signature,
            ActiveState.operator_signature,
            ActiveState.spent,
            ActiveState.gained,
            ActiveState.tx_set_hash,
            ActiveState.tx_set_index,
            ActiveState.tx_set_proof_hashes,
        ).where(ActiveState.id.in_(wanted))
    )
    return {
        state_id: SignedState(
            wallet_signature=bytes(wallet),
            operator_signature=None if operator is None else bytes(operator),
            spent=spent,
            gained=gained,
            tx_set_hash=bytes(root),
            tx_set_index=index,
            tx_set_proof=digests_of(bytes(path)),
        )
        for state_id, wallet, operator, spent, gained, root, index, path in rows
    }
