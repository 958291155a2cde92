"""Asking the contract's own verifier about a sample of proofs, before their root is announced."""

from __future__ import annotations

from typing import Final

from activities.context import Context
from chain.errors import CallReverted
from duties import alarms, names
from ledger.alarms import clear_alarm, raise_alarm
from ledger.audit import CheckpointInconsistent
from ledger.audit.samples import CommittedLeaf, draw_leaves

VERIFIER: Final = "verifyProofOfExclusiveBalanceAllotment"
SHOWN: Final = 5


def require_accepted(context: Context, eon: int) -> None:
    """Have the contract check proofs of every token against the root that it does not know yet.

    Its verifier takes the root as an argument, so it tells what it will say of the same proofs
    once they are needed. Raises `CheckpointInconsistent`, with an alarm, if it refuses one.
    """
    with context.sessions() as session:
        leaves = draw_leaves(session, context.rules(session), eon, context.proof_sample)
    refusals = [said for one in leaves if (said := _objection(context, one))]
    with context.sessions.begin() as session:
        if not refusals:
            clear_alarm(session, alarms.PROOF_REFUSED, names.eon_id(eon))
            return
        message = f"{len(refusals)} of {len(leaves)} proofs: {'; '.join(refusals[:SHOWN])}"
        raise_alarm(session, alarms.CRITICAL, alarms.PROOF_REFUSED, names.eon_id(eon), message)
    raise CheckpointInconsistent(f"the contract refuses {message}")


def _objection(context: Context, one: CommittedLeaf) -> str:
    """What the contract has against a proof; empty if nothing."""
    proof = one.proof
    try:
        (total,) = context.gateway.ask(
            VERIFIER,
            proof.trail,
            one.place,
            one.leaf,
            one.root,
            proof.hashes,
            proof.membership_hashes,
            proof.values,
            (proof.left, proof.right),
        )
    except CallReverted as revert:
        return f"wallet {one.wallet_id}: {revert.meaning}"
    if total != proof.upper_bound:
        return f"wallet {one.wallet_id}: it reckons {total} in all, not {proof.upper_bound}"
    return ""
