"""The ledger's evidence as calls of the contract."""

from __future__ import annotations

from chain.answers import (
    NO_STATE,
    CommittedState,
    PassivePlace,
    SetPlace,
    SignedState,
    answer_delivery_actively,
    answer_delivery_passively,
    answer_state_update,
    answer_swap,
)
from chain.calls import BalanceProof, Call
from ledger.challenges.evidence import (
    ActiveDeliveryEvidence,
    AgreedState,
    CommittedLeaf,
    Evidence,
    PassiveDeliveryEvidence,
    StateEvidence,
)
from protocol.address import Address
from protocol.encoding import ZERO_HASH


def call_for(contract: Address, evidence: Evidence, *, sender: Address) -> Call:
    """The answer that shows `evidence`; `sender` is the challenged transfer's, or the issuer."""
    leaf = evidence.leaf
    proof = _proof(leaf)
    if isinstance(evidence, StateEvidence):
        signed = NO_STATE if evidence.state is None else _signed(evidence.state)
        return answer_state_update(
            contract, token=leaf.token, issuer=leaf.wallet, proof=proof, signed=signed
        )
    if isinstance(evidence, ActiveDeliveryEvidence):
        return answer_delivery_actively(
            contract,
            token=leaf.token,
            sender=sender,
            recipient=leaf.wallet,
            proof=proof,
            state=_committed(evidence.state),
            place=SetPlace(evidence.index, evidence.siblings),
        )
    if isinstance(evidence, PassiveDeliveryEvidence):
        return answer_delivery_passively(
            contract,
            token=leaf.token,
            sender=sender,
            recipient=leaf.wallet,
            proof=proof,
            place=PassivePlace(
                evidence.index,
                evidence.siblings,
                evidence.edges,
                evidence.position,
                evidence.nonce,
            ),
        )
    return answer_swap(
        contract,
        sell_token=evidence.sell_token,
        buy_token=leaf.token,
        issuer=leaf.wallet,
        proof=proof,
        state=_committed(evidence.state),
        place=SetPlace(evidence.index, evidence.siblings),
        start=evidence.start,
    )


def _proof(leaf: CommittedLeaf) -> BalanceProof:
    proof = leaf.proof
    return BalanceProof(
        trail=proof.trail,
        allotment_chain=proof.hashes,
        membership_chain=proof.membership_hashes,
        values=proof.values,
        left=proof.left,
        right=proof.right,
        active_state=proof.active_state_digest or ZERO_HASH,
        passive_root=proof.passive_root or ZERO_HASH,
        passive_amount=proof.passive_amount,
        passive_marker=proof.passive_marker,
    )


def _committed(state: AgreedState) -> CommittedState:
    return CommittedState(state.tx_set_root, state.spent, state.gained)


def _signed(state: AgreedState) -> SignedState:
    return SignedState(_committed(state), state.wallet_signature, state.operator_signature)
