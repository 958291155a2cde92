"""Leaves of a checkpoint with their proofs and committed states, for many wallets at once."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from ledger.proofs import allotment_proofs
from ledger.reading.states import signed_states
from ledger.reading.values import WalletProof


def wallet_proofs(session: Session, wallet_ids: Iterable[int], eon: int) -> dict[int, WalletProof]:
    """Prove wallets' allotments of `eon`, by wallet id; those without a leaf are absent."""
    allotments = allotment_proofs(session, sorted(set(wallet_ids)), eon)
    states = signed_states(session, (proof.active_state_id for proof in allotments.values()))
    return {
        wallet_id: WalletProof(
            allotment=proof,
            active_state=None if proof.active_state_id is None else states[proof.active_state_id],
        )
        for wallet_id, proof in allotments.items()
    }
