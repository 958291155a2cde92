"""Answers to challenges as calls: the operator's proof that its checkpoint is right.

Every answer proves a leaf of the checkpoint after the challenged eon. Answers cost nothing but gas;
anybody may send them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.exceptions import DecodingError

from chain.abi import functions
from chain.calls import BalanceProof, Call, build_call
from chain.errors import ChainError
from protocol.address import Address
from protocol.encoding import MAX_U256, ZERO_HASH

ORDER_CLOSED = MAX_U256
"""In place of the start balance in the leaf of an order that was fulfilled or cancelled."""

ANSWERS = frozenset(
    (
        "answerStateUpdateChallenge",
        "answerTransferDeliveryChallengeWithProofOfActiveStateUpdateAgreement",
        "answerTransferDeliveryChallengeWithProofOfPassiveStateUpdate",
        "answerSwapChallengeWithProofOfExclusiveBalanceAllotment",
    )
)
"""The functions of the contract that answer challenges."""

_NO_SIGNATURE = bytes(65)


class NotAnAnswer(ChainError):
    """Call data do not call one of the contract's answers, or not with its arguments."""


@dataclass(frozen=True, slots=True)
class CommittedState:
    """The active state in a leaf: root of the transaction set (32 bytes), totals in base units."""

    tx_set_root: bytes
    spent: int
    gained: int


@dataclass(frozen=True, slots=True)
class SignedState:
    """A committed state with the signatures of wallet and operator, 65 bytes each."""

    state: CommittedState
    wallet_signature: bytes
    operator_signature: bytes


NO_STATE = SignedState(CommittedState(ZERO_HASH, 0, 0), _NO_SIGNATURE, _NO_SIGNATURE)
"""Of a wallet that did nothing in the challenged eon: its leaf commits to no state."""


@dataclass(frozen=True, slots=True)
class SetPlace:
    """Where a transfer or order stands in a set: index, and siblings leaf level first."""

    index: int
    siblings: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PassivePlace:
    """Where a transfer stands in a passive tree: index, siblings and their outer edges, and what
    its tag is made of."""

    index: int
    siblings: Sequence[bytes]
    edges: Sequence[int]
    position: int
    nonce: int


def answer_from_calldata(contract: Address, data: bytes) -> Call:
    """The call that given call data make; raises `NotAnAnswer` for anything but an answer."""
    function = next((one for one in functions().values() if one.selector == data[:4]), None)
    if function is None or function.name not in ANSWERS:
        raise NotAnAnswer("the call data do not call an answer of the contract")
    try:
        arguments = function.arguments(data)
    except (DecodingError, OverflowError, ValueError):
        raise NotAnAnswer(f"the call data do not hold the arguments of {function.name}") from None
    if function.encode(*arguments) != data:
        raise NotAnAnswer(f"the call data are not the plain form of a call of {function.name}")
    return Call(contract, data, 0, function.name)


def answer_state_update(
    contract: Address,
    *,
    token: Address,
    issuer: Address,
    proof: BalanceProof,
    signed: SignedState = NO_STATE,
) -> Call:
    """Show that the issuer's leaf holds what it had and got, less what it spent and asked for."""
    wallet_r, wallet_s, wallet_v = _parts(signed.wallet_signature)
    operator_r, operator_s, operator_v = _parts(signed.operator_signature)
    return build_call(
        contract,
        "answerStateUpdateChallenge",
        token,
        issuer,
        *_arrays(proof),
        _leaf(proof, signed.state),
        (wallet_r, wallet_s, operator_r, operator_s, signed.state.tx_set_root, proof.passive_root),
        (wallet_v, operator_v),
    )


def answer_delivery_actively(
    contract: Address,
    *,
    token: Address,
    sender: Address,
    recipient: Address,
    proof: BalanceProof,
    state: CommittedState,
    place: SetPlace,
) -> Call:
    """Show the transfer in the set of the recipient's committed state."""
    return build_call(
        contract,
        "answerTransferDeliveryChallengeWithProofOfActiveStateUpdateAgreement",
        token,
        (sender, recipient),
        place.index,
        *_arrays(proof),
        _leaf(proof, state),
        (state.tx_set_root, proof.passive_root),
        place.siblings,
    )


def answer_delivery_passively(
    contract: Address,
    *,
    token: Address,
    sender: Address,
    recipient: Address,
    proof: BalanceProof,
    place: PassivePlace,
) -> Call:
    """Show the transfer in the passive tree of the recipient's leaf."""
    edges = [edge.to_bytes(32, "big") for edge in place.edges]
    return build_call(
        contract,
        "answerTransferDeliveryChallengeWithProofOfPassiveStateUpdate",
        token,
        (sender, recipient),
        place.index,
        *_arrays(proof),
        (
            (proof.left, proof.right),
            (proof.passive_amount, proof.passive_marker),
            (place.position, place.nonce),
        ),
        (proof.active_state, proof.passive_root),
        [*place.siblings, *edges],
    )


def answer_swap(
    contract: Address,
    *,
    sell_token: Address,
    buy_token: Address,
    issuer: Address,
    proof: BalanceProof,
    state: CommittedState,
    place: SetPlace,
    start: int,
) -> Call:
    """Show the order and what it brought in, in the leaf of the token bought.

    `start` is what the order's committed leaf carries: a balance, or `ORDER_CLOSED`.
    """
    return build_call(
        contract,
        "answerSwapChallengeWithProofOfExclusiveBalanceAllotment",
        (sell_token, buy_token),
        issuer,
        place.index,
        proof.allotment_chain,
        proof.membership_chain,
        place.siblings,
        proof.values,
        _leaf(proof, state),
        start,
        (state.tx_set_root, proof.passive_root, ZERO_HASH),
    )


def _arrays(proof: BalanceProof) -> tuple[Sequence[bytes], Sequence[bytes], Sequence[int]]:
    return proof.allotment_chain, proof.membership_chain, proof.values


def _leaf(proof: BalanceProof, state: CommittedState) -> tuple[tuple[int, int], ...]:
    """[left, right], [spent, gained], [passive amount, marker], as every answer takes them."""
    return (
        (proof.left, proof.right),
        (state.spent, state.gained),
        (proof.passive_amount, proof.passive_marker),
    )


def _parts(signature: bytes) -> tuple[bytes, bytes, int]:
    if len(signature) != 65:
        raise ValueError("a signature is 65 bytes: r, s, v")
    return signature[:32], signature[32:64], signature[64]
