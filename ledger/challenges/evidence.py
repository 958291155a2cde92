"""What the ledger can show against a challenge: the committed leaf and what hangs below it.

Each piece of evidence is one answer of the contract's. It is proven here, up to the root, before
anybody simulates it: `objection` says in words what does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.audit.checkpoints import verify_allotment
from ledger.proofs import AllotmentProof, allotment_proof
from ledger.rules import LedgerRules
from models import ActiveState, RootCommitment, Token, Wallet
from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.signing import is_signed_by
from protocol.states import active_state_digest


@dataclass(frozen=True, slots=True)
class CommittedLeaf:
    """A wallet's leaf in the checkpoint after a challenged eon, with the proof up to its root."""

    token: Address
    wallet: Address
    root: bytes
    proof: AllotmentProof


@dataclass(frozen=True, slots=True)
class AgreedState:
    """The state that a leaf commits to, signed by wallet and operator (65 bytes each).

    `tx_set_root` has 32 bytes, totals are in base units.
    """

    tx_set_root: bytes
    spent: int
    gained: int
    wallet_signature: bytes
    operator_signature: bytes


@dataclass(frozen=True, slots=True)
class StateEvidence:
    """The leaf holds what the wallet had and got; `state` is None if it committed to none."""

    leaf: CommittedLeaf
    state: AgreedState | None


@dataclass(frozen=True, slots=True)
class ActiveDeliveryEvidence:
    """The transfer stands in the set of the recipient's committed state, at `index`."""

    leaf: CommittedLeaf
    state: AgreedState
    index: int
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PassiveDeliveryEvidence:
    """The transfer stands in the recipient's receipts, from `position` on, at `index`."""

    leaf: CommittedLeaf
    index: int
    siblings: tuple[bytes, ...]
    edges: tuple[int, ...]
    position: int
    nonce: int


@dataclass(frozen=True, slots=True)
class SwapEvidence:
    """The order stands in the set of the token bought, with `start` in its leaf."""

    sell_token: Address
    leaf: CommittedLeaf
    state: AgreedState
    index: int
    siblings: tuple[bytes, ...]
    start: int


Evidence: TypeAlias = (
    StateEvidence | ActiveDeliveryEvidence | PassiveDeliveryEvidence | SwapEvidence
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to answer: its name, its evidence if there is any, and what speaks against it."""

    name: str
    evidence: Evidence | None = None
    objections: Sequence[str] = field(default=())

    @property
    def objection(self) -> str:
        """What does not hold, in words; empty if everything does."""
        return "; ".join(self.objections)


class NothingToShow(Exception):
    """The ledger holds nothing against a challenge; the message says what is missing."""


def find_wallet(session: Session, token: Address, address: Address) -> Wallet:
    """The admitted wallet of an address; raises `NothingToShow` without one."""
    wallet = session.scalars(
        select(Wallet)
        .join(Token, Token.id == Wallet.token_id)
        .where(
            Token.address == token,
            Wallet.address == address,
            Wallet.trail_identifier.is_not(None),
        )
    ).one_or_none()
    if wallet is None:
        raise NothingToShow(f"no admitted wallet of 0x{address.hex()} is known")
    return wallet


def committed_leaf(session: Session, token: Address, wallet: Wallet, eon: int) -> CommittedLeaf:
    """The wallet's leaf in the checkpoint of `eon`; raises `NothingToShow` without one."""
    root = session.scalar(select(RootCommitment.merkle_root).where(RootCommitment.eon == eon))
    proof = allotment_proof(session, wallet.id, eon)
    if root is None or proof is None:
        raise NothingToShow(f"the checkpoint of eon {eon} holds no leaf of the wallet")
    return CommittedLeaf(token, bytes(wallet.address), bytes(root), proof)


def agreed_state(session: Session, leaf: CommittedLeaf) -> AgreedState | None:
    """The state that a leaf commits to, None if it commits to none."""
    if leaf.proof.active_state_id is None:
        return None
    row = session.get_one(ActiveState, leaf.proof.active_state_id)
    return AgreedState(
        tx_set_root=bytes(row.tx_set_hash),
        spent=row.spent,
        gained=row.gained,
        wallet_signature=bytes(row.wallet_signature),
        operator_signature=bytes(row.operator_signature or bytes(65)),
    )


def require_state(session: Session, leaf: CommittedLeaf) -> AgreedState:
    """The state that a leaf commits to; raises `NothingToShow` if it commits to none."""
    state = agreed_state(session, leaf)
    if state is None:
        raise NothingToShow("the leaf commits to no state, hence to no set")
    return state


def object_to_leaf(
    rules: LedgerRules, leaf: CommittedLeaf, state: AgreedState | None, *, trail: int
) -> list[str]:
    """What does not hold of a leaf, its state and its way to the root.

    `trail` is the one that the contract recorded for the wallet.
    """
    objections = []
    if leaf.proof.trail != trail:
        objections.append(f"the wallet's trail is {leaf.proof.trail}, challenged is {trail}")
    if not verify_allotment(leaf.proof, rules.contract, leaf.token, leaf.wallet, leaf.root):
        objections.append("the proof does not lead to the root")
    committed = leaf.proof.active_state_digest or ZERO_HASH
    if (ZERO_HASH if state is None else state_digest(rules, leaf, state)) != committed:
        objections.append("the state is not the one that the leaf commits to")
    return objections


def object_to_signatures(rules: LedgerRules, leaf: CommittedLeaf, state: AgreedState) -> list[str]:
    """Who did not sign a committed state, as the contract would judge."""
    digest = state_digest(rules, leaf, state)
    return [
        f"the state is not signed by the {name}"
        for name, signature, signer in (
            ("wallet", state.wallet_signature, leaf.wallet),
            ("operator", state.operator_signature, rules.operator.address),
        )
        if not is_signed_by(digest, signature, signer)
    ]


def state_digest(rules: LedgerRules, leaf: CommittedLeaf, state: AgreedState) -> bytes:
    """The 32 bytes that wallet and operator signed, of the eon before the leaf's."""
    return active_state_digest(
        contract=rules.contract,
        token=leaf.token,
        wallet=leaf.wallet,
        trail=leaf.proof.trail,
        eon=leaf.proof.eon - 1,
        tx_set_root=state.tx_set_root,
        spent=state.spent,
        gained=state.gained,
    )
