"""What a wallet checks of an operator's word: signatures, sets, proofs. Raises `Deception`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.address import Address
from protocol.editions import ContractEdition
from protocol.errors import ProtocolError
from protocol.orders import Totals
from protocol.signing import is_signed_by
from protocol.states import active_state_digest, admission_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.balance import inner_digest, leaf_digest
from protocol.trees.interval import walk
from protocol.trees.passive import PassiveLeaf
from protocol.trees.plain import verify_path
from protocol.trees.tokens import token_leaf
from protocol.trees.transaction_set import Frontier
from wallet.errors import Deception, WrongAllotment
from wallet.wire import AllotmentProof, Registration, SignedState, Transaction


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """Which commit-chain this is: contract, operator, the clock's constants, edition."""

    contract: Address
    operator: Address
    genesis_block: int
    blocks_per_eon: int
    edition: ContractEdition


@dataclass(frozen=True, slots=True)
class WalletIdentity:
    """One admitted wallet: address, token and its place in the token's balance tree."""

    token: Address
    address: Address
    trail: int


def verify_registration(
    chain: ChainIdentity, token: Address, address: Address, registration: Registration
) -> WalletIdentity:
    """Check both signatures of an admission and return the wallet that it admits."""
    trail = registration.trail
    if trail is None or registration.operator_authorization is None:
        raise Deception("the admission is not countersigned")
    digests = [
        admission_digest(
            contract=chain.contract, token=token, wallet=address, trail=t, eon=registration.eon
        )
        for t in (0, trail)
    ]
    if not is_signed_by(digests[0], registration.authorization, address):
        raise Deception("the admission is not signed by its wallet")
    if not is_signed_by(digests[1], registration.operator_authorization, chain.operator):
        raise Deception("the admission is not signed by the operator with this trail")
    return WalletIdentity(token, address, trail)


def outgoing_leaf(transfer: Transaction, position: int) -> bytes:
    """Hash a transfer as an entry of its sender's set."""
    return transfer_leaf(
        counterparty=transfer.recipient.address,
        amount=transfer.amount,
        recipient_trail=transfer.recipient.trail,
        position=position,
        nonce=transfer.nonce,
    )


def signed_state_digest(
    chain: ChainIdentity, wallet: WalletIdentity, eon: int, state: SignedState
) -> bytes:
    """Hash a state as it was signed: a wallet's in an eon."""
    return active_state_digest(
        contract=chain.contract,
        token=wallet.token,
        wallet=wallet.address,
        trail=wallet.trail,
        eon=eon,
        tx_set_root=state.tx_set_root,
        spent=state.spent,
        gained=state.gained,
    )


def verify_sent(
    chain: ChainIdentity,
    wallet: WalletIdentity,
    before: Frontier,
    base: Totals,
    transfer: Transaction,
) -> None:
    """Check an entry against the set and the totals before it: root, index, path, totals, both
    signatures."""
    state = transfer.state
    if state.tx_set_root != before.root_with(outgoing_leaf(transfer, LAST_POSITION)):
        raise Deception(f"transfer {transfer.id} is not the newest leaf of its state")
    if state.index != before.count:
        raise Deception(f"transfer {transfer.id} is not at its place in its sender's set")
    if (state.spent, state.gained) != (base.spent + transfer.amount, base.gained):
        raise Deception(f"transfer {transfer.id} spends another amount than it says")
    verify_signed(chain, wallet, transfer)


def verify_signed(chain: ChainIdentity, sender: WalletIdentity, transfer: Transaction) -> None:
    """Check that a transfer is in the set of its sender's state, and the state's signatures."""
    state = transfer.state
    leaf = outgoing_leaf(transfer, LAST_POSITION)
    in_its_set = (
        state.path is not None
        and state.index is not None
        and verify_path(leaf, state.index, state.path, state.tx_set_root)
    )
    if not in_its_set:
        raise Deception(f"the path of transfer {transfer.id} does not lead to its root")
    digest = signed_state_digest(chain, sender, transfer.eon, state)
    if not is_signed_by(digest, state.wallet_signature, sender.address):
        raise Deception(f"transfer {transfer.id} is not signed by its sender")
    if state.operator_signature is None or not is_signed_by(
        digest, state.operator_signature, chain.operator
    ):
        raise Deception(f"transfer {transfer.id} is not countersigned")


def passive_leaves(receipts: Sequence[Transaction]) -> list[PassiveLeaf]:
    """Turn receipts, in order, into leaves; a gap or an overlap is a deception."""
    leaves = []
    edge = 0
    for receipt in receipts:
        if receipt.position != edge:
            raise Deception(f"receipt {receipt.id} does not begin where the one before ends")
        edge += receipt.amount
        digest = transfer_leaf(
            counterparty=receipt.sender.address,
            amount=receipt.amount,
            recipient_trail=receipt.recipient.trail,
            position=receipt.position,
            nonce=receipt.nonce,
        )
        leaves.append(PassiveLeaf(digest, receipt.position, edge))
    return leaves


@dataclass(frozen=True, slots=True)
class Closing:
    """What a wallet knows its leaf must hold after an eon."""

    balance: int
    active_digest: bytes
    passive_root: bytes
    passive_amount: int
    passive_marker: int


def verify_allotment(
    chain: ChainIdentity, wallet: WalletIdentity, proof: AllotmentProof, closing: Closing | None
) -> tuple[bytes, int]:
    """Check a proof and return the checkpoint's root and the upper bound it leads to.

    With `closing` the leaf must hold exactly what the wallet knows of the eon before; without,
    only the wallet's identity is its own and the rest is the operator's word.
    """
    if proof.trail != wallet.trail or proof.left > proof.right:
        raise Deception("the proof is of another leaf")
    if closing is not None:
        said = Closing(
            proof.balance,
            proof.active_digest,
            proof.passive_root,
            proof.passive_amount,
            proof.passive_marker,
        )
        if said != closing:
            raise WrongAllotment(proof, closing)
    inner = inner_digest(
        contract=chain.contract,
        token=wallet.token,
        wallet=wallet.address,
        active_digest=proof.active_digest,
        passive_root=proof.passive_root,
        passive_amount=proof.passive_amount,
        passive_marker=proof.passive_marker,
    )
    try:
        balance_root, upper_bound = walk(
            leaf_digest(inner, proof.left, proof.right),
            proof.left,
            proof.right,
            proof.trail,
            proof.allotment_chain,
            proof.values,
        )
    except ProtocolError as cause:
        raise Deception(f"the proof of eon {proof.eon} does not hold: {cause}") from cause
    return token_leaf(balance_root, upper_bound), upper_bound


def verify_membership(
    token_commitment: bytes, token_trail: int, proof: AllotmentProof, root: bytes
) -> None:
    """Check that a token's commitment stands in the root that the contract holds."""
    if not verify_path(token_commitment, token_trail, proof.membership_chain, root):
        raise Deception(f"the proof of eon {proof.eon} does not lead to the root on chain")
