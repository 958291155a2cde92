"""What a wallet checks of an operator's word: signatures, sets, proofs. Raises `Deception`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.errors import ProtocolError
from protocol.signing import is_signed_by
from protocol.states import active_state_digest, admission_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.balance import inner_digest, leaf_digest
from protocol.trees.interval import walk
from protocol.trees.passive import PassiveLeaf, passive_root
from protocol.trees.plain import verify_path
from protocol.trees.tokens import token_leaf
from protocol.trees.transaction_set import Frontier
from wallet.errors import Deception
from wallet.wire import AllotmentProof, Registration, Transaction


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """Which commit-chain this is: its contract, its operator and the clock's constants."""

    contract: Address
    operator: Address
    genesis_block: int
    blocks_per_eon: int


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


def state_digest(chain: ChainIdentity, wallet: WalletIdentity, transfer: Transaction) -> bytes:
    """Hash the sender's state that a transfer carries."""
    return active_state_digest(
        contract=chain.contract,
        token=wallet.token,
        wallet=wallet.address,
        trail=wallet.trail,
        eon=transfer.eon,
        tx_set_root=transfer.state.tx_set_root,
        spent=transfer.state.spent,
        gained=transfer.state.gained,
    )


def verify_entry(
    chain: ChainIdentity,
    wallet: WalletIdentity,
    earlier: Sequence[Transaction],
    transfer: Transaction,
    frontier: Frontier,
) -> Frontier:
    """Check an entry against those before it: root, index, path, totals, both signatures.

    `frontier` holds all entries before the last of `earlier`; the returned one holds that too.
    """
    if earlier:
        frontier = frontier.append(outgoing_leaf(earlier[-1], earlier[-1].position))
    leaf = outgoing_leaf(transfer, LAST_POSITION)
    state = transfer.state
    if state.tx_set_root != frontier.root_with(leaf) or state.index != len(earlier):
        raise Deception(f"transfer {transfer.id} is not the newest leaf of its state")
    if state.path is None or not verify_path(leaf, len(earlier), state.path, state.tx_set_root):
        raise Deception(f"the path of transfer {transfer.id} does not lead to its root")
    spent = earlier[-1].state.spent if earlier else 0
    if state.spent != spent + transfer.amount or state.gained != 0:
        raise Deception(f"transfer {transfer.id} spends another amount than it says")
    digest = state_digest(chain, wallet, transfer)
    if not is_signed_by(digest, state.wallet_signature, wallet.address):
        raise Deception(f"transfer {transfer.id} is not signed by its sender")
    if state.operator_signature is None or not is_signed_by(
        digest, state.operator_signature, chain.operator
    ):
        raise Deception(f"transfer {transfer.id} is not countersigned")
    return frontier


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


def closing_of(
    chain: ChainIdentity,
    wallet: WalletIdentity,
    balance: int,
    sent: Sequence[Transaction],
    received: Sequence[Transaction],
) -> Closing:
    """Compute the leaf of an eon from the wallet's own record of it."""
    leaves = passive_leaves(received)
    return Closing(
        balance,
        state_digest(chain, wallet, sent[-1]) if sent else ZERO_HASH,
        passive_root(leaves) if leaves else ZERO_HASH,
        sum(receipt.amount for receipt in received),
        sent[-1].position if sent else 0,
    )


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
        said = (
            proof.balance,
            proof.active_digest,
            proof.passive_root,
            proof.passive_amount,
            proof.passive_marker,
        )
        known = (
            closing.balance,
            closing.active_digest,
            closing.passive_root,
            closing.passive_amount,
            closing.passive_marker,
        )
        if said != known:
            raise Deception(f"the checkpoint of eon {proof.eon} commits to {said}, not to {known}")
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
