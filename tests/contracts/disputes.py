"""Challenges and answers as contract calls, made from what the off-chain ledger would hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.development import DevelopmentAccount
from protocol.encoding import MAX_U256, ZERO_HASH
from protocol.orders import OrderTerms
from protocol.signing import sign
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, tagged_transfer_leaf, transfer_leaf, transfer_tag
from protocol.trees import plain
from protocol.trees.passive import PassiveLeaf, passive_proof, passive_root

from .harness import ETHER, OPERATOR, Allotment, Chain, Member, checksum

CLOSED = MAX_U256
STAKE = ETHER // 20
"""More than enough for the bond of any challenge at the tests' gas price."""
NO_SIGNATURE = (ZERO_HASH, ZERO_HASH, 0)
Parts = tuple[bytes, bytes, int]


def parts(message: bytes, account: DevelopmentAccount) -> Parts:
    signature = sign(message, account.private_key)
    return signature[:32], signature[32:64], signature[64]


@dataclass(frozen=True)
class State:
    """An active state of a wallet: its transfer set and totals of one eon."""

    chain: Chain
    wallet: DevelopmentAccount
    trail: int
    eon: int
    leaves: tuple[bytes, ...] = ()
    spent: int = 0
    gained: int = 0
    token: bytes = b""

    @property
    def root(self) -> bytes:
        return plain.root(self.leaves) if self.leaves else ZERO_HASH

    @property
    def deltas(self) -> list[int]:
        return [self.spent, self.gained]

    @property
    def digest(self) -> bytes:
        return active_state_digest(
            contract=self.chain.address,
            token=self.token or self.chain.ether,
            wallet=self.wallet.address,
            trail=self.trail,
            eon=self.eon,
            tx_set_root=self.root,
            spent=self.spent,
            gained=self.gained,
        )

    def signed_by(self, account: DevelopmentAccount) -> Parts:
        return parts(self.digest, account)

    def path(self, index: int) -> list[bytes]:
        return plain.path(self.leaves, index)

    def member(self, balance: int, **passive: Any) -> Member:
        """The checkpoint's member for this wallet, with this state in its leaf."""
        return Member(self.wallet.address, balance, active=self.digest, **passive)


@dataclass(frozen=True)
class Receipts:
    """What a wallet received passively in one eon: (sender, amount, nonce) in order."""

    trail: int
    transfers: tuple[tuple[bytes, int, int], ...]
    leaves: list[PassiveLeaf] = field(init=False)

    def __post_init__(self) -> None:
        position, leaves = 0, []
        for sender, amount, nonce in self.transfers:
            digest = transfer_leaf(
                counterparty=sender,
                amount=amount,
                recipient_trail=self.trail,
                position=position,
                nonce=nonce,
            )
            leaves.append(PassiveLeaf(digest, position, position + amount))
            position += amount
        object.__setattr__(self, "leaves", leaves)

    @property
    def total(self) -> int:
        return sum(amount for _, amount, _ in self.transfers)

    @property
    def root(self) -> bytes:
        return passive_root(self.leaves)

    def chain_values(self, index: int) -> list[bytes]:
        proof = passive_proof(self.leaves, index)
        return proof.hashes + [value.to_bytes(32, "big") for value in proof.values]

    def committed(self) -> dict[str, Any]:
        """The passive part of the recipient's member."""
        return {"passive_root": self.root, "passive_amount": self.total}


def challenge_allotment(
    chain: Chain,
    leaf: Allotment,
    state: State | None = None,
    *,
    token: bytes | None = None,
    signer: DevelopmentAccount = OPERATOR,
) -> Any:
    """A state-update challenge with the allotment `leaf` of the eon before."""
    r, s, v = state.signed_by(signer) if state else NO_SIGNATURE
    return chain.functions.challengeStateUpdateWithProofOfExclusiveBalanceAllotment(
        checksum(token or chain.ether),
        leaf.checksums,
        leaf.trail,
        *leaf.proof,
        [list(leaf.interval), state.deltas if state else [0, 0], leaf.passive],
        [r, s, state.root if state else ZERO_HASH],
        v,
    )


def challenge_agreement(state: State, *, signer: DevelopmentAccount = OPERATOR) -> Any:
    """A state-update challenge of a wallet without an allotment."""
    return state.chain.functions.challengeStateUpdateWithProofOfActiveStateUpdateAgreement(
        checksum(state.token or state.chain.ether),
        state.root,
        state.trail,
        state.deltas,
        *state.signed_by(signer),
    )


def answer_state_update(
    chain: Chain,
    issuer: DevelopmentAccount,
    leaf: Allotment,
    state: State | None = None,
    *,
    token: bytes | None = None,
    signers: tuple[DevelopmentAccount, DevelopmentAccount] | None = None,
) -> Any:
    """An answer with `leaf` and the state in it, signed by the issuer and the operator."""
    by_issuer, by_operator = NO_SIGNATURE, NO_SIGNATURE
    if state:
        first, second = signers or (issuer, OPERATOR)
        by_issuer, by_operator = state.signed_by(first), state.signed_by(second)
    return chain.functions.answerStateUpdateChallenge(
        checksum(token or chain.ether),
        checksum(issuer.address),
        *leaf.proof,
        [list(leaf.interval), state.deltas if state else [0, 0], leaf.passive],
        [
            *by_issuer[:2],
            *by_operator[:2],
            state.root if state else ZERO_HASH,
            leaf.member.passive_root,
        ],
        [by_issuer[2], by_operator[2]],
    )


@dataclass(frozen=True)
class Transfer:
    """A transfer as it stands in the sender's set: `number` is its nonce or tag there."""

    sender: DevelopmentAccount
    recipient: DevelopmentAccount
    amount: int
    number: int
    recipient_trail: int

    @property
    def pair(self) -> list[str]:
        return [checksum(self.sender.address), checksum(self.recipient.address)]

    def leaf(self, counterparty: DevelopmentAccount | None = None) -> bytes:
        return tagged_transfer_leaf(
            counterparty=(counterparty or self.recipient).address,
            amount=self.amount,
            recipient_trail=self.recipient_trail,
            tag=self.number,
        )


def challenge_delivery(
    state: State,
    transfer: Transfer,
    index: int = 0,
    *,
    signed: State | None = None,
    signer: DevelopmentAccount = OPERATOR,
) -> Any:
    """The active form: with the sender's state that the operator signed."""
    r, s, v = (signed or state).signed_by(signer)
    return state.chain.functions.challengeTransferDeliveryWithProofOfActiveStateUpdateAgreement(
        checksum(state.token or state.chain.ether),
        transfer.pair,
        [transfer.number, transfer.amount],
        [state.trail, index, transfer.recipient_trail],
        state.path(index),
        state.deltas,
        [r, s, state.root],
        v,
    )


def answer_delivery(
    state: State, transfer: Transfer, leaf: Allotment, index: int = 0, *, exchanged: bool = False
) -> Any:
    """The active form: with the recipient's state, in whose set the transfer stands."""
    name = "answerTransferDeliveryChallengeWithProofOfActiveStateUpdateAgreement"
    return state.chain.functions[name](
        checksum(state.token or state.chain.ether),
        transfer.pair[::-1] if exchanged else transfer.pair,
        index,
        *leaf.proof,
        [list(leaf.interval), state.deltas, leaf.passive],
        [state.root, leaf.member.passive_root],
        state.path(index),
    )


def challenge_last_delivery(
    state: State, transfer: Transfer, leaf: Allotment, index: int = 0, *, nonce: int = 0
) -> Any:
    """The passive form: with the sender's committed leaf; nonce 0 is the published meaning."""
    name = "challengeTransferDeliveryWithProofOfPassiveStateUpdate"
    return state.chain.functions[name](
        checksum(state.token or state.chain.ether),
        transfer.pair,
        [state.root, leaf.member.passive_root],
        [state.trail, index, transfer.recipient_trail],
        *leaf.proof,
        [list(leaf.interval), state.deltas, leaf.passive, [nonce, transfer.amount]],
        state.path(index),
    )


def answer_passively(
    chain: Chain,
    transfer: Transfer,
    leaf: Allotment,
    receipts: Receipts,
    index: int = 0,
    *,
    position: int,
    nonce: int,
    token: bytes | None = None,
) -> Any:
    """The passive form: with the transfer in the recipient's passive tree."""
    return chain.functions.answerTransferDeliveryChallengeWithProofOfPassiveStateUpdate(
        checksum(token or chain.ether),
        transfer.pair,
        index,
        *leaf.proof,
        [list(leaf.interval), leaf.passive, [position, nonce]],
        leaf.checksums,
        receipts.chain_values(index),
    )


def challenge_swap(
    state: State, order: OrderTerms, start: int, leaf: Allotment, index: int = 0
) -> Any:
    """With the trader's committed leaf of the token sold and the state in it."""
    name = "challengeSwapEnactmentWithProofOfActiveStateUpdateAgreement"
    return state.chain.functions[name](
        pair_of(order),
        [state.trail, index, order.recipient_trail],
        *leaf.proof[:2],
        state.path(index),
        leaf.values,
        [list(leaf.interval), state.deltas, leaf.passive],
        [order.amount, order.amount_swapped, start, order.nonce],
        [state.root, leaf.member.passive_root, ZERO_HASH],
    )


def answer_swap(
    state: State, order: OrderTerms, start: int, leaf: Allotment, index: int = 0
) -> Any:
    """With the trader's committed leaf of the token bought and the state in it."""
    return state.chain.functions.answerSwapChallengeWithProofOfExclusiveBalanceAllotment(
        pair_of(order),
        checksum(state.wallet.address),
        index,
        *leaf.proof[:2],
        state.path(index),
        leaf.values,
        [list(leaf.interval), state.deltas, leaf.passive],
        start,
        [state.root, leaf.member.passive_root, ZERO_HASH],
    )


def pair_of(order: OrderTerms) -> list[str]:
    return [checksum(order.sell_token), checksum(order.buy_token)]


def record(
    chain: Chain, sender: DevelopmentAccount, recipient: DevelopmentAccount, token: bytes = b""
) -> Sequence[int]:
    """The challenge book's entry, under a token or a conduit."""
    entry: Sequence[int] = chain.functions.getChallenge(
        checksum(token or chain.ether), checksum(sender.address), checksum(recipient.address)
    ).call()
    return entry


def live(chain: Chain, eon: int) -> int:
    return int(chain.functions.getLiveChallenges(eon).call())


def last_tag(nonce: int) -> int:
    """The tag of a passive transfer that is its set's newest."""
    return transfer_tag(LAST_POSITION, nonce)
