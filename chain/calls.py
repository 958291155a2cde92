"""Calls to the contract, ready to be simulated, estimated and signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode

from chain.abi import functions
from protocol.address import Address

TRANSFER_SELECTOR: Final = bytes.fromhex("a9059cbb")
"""`transfer(address,uint256)` of every ERC-20."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the contract, its call data, the ether sent with it (wei), the ABI name."""

    to: Address
    data: bytes
    value: int
    function: str


@dataclass(frozen=True, slots=True)
class BalanceProof:
    """A leaf's way to a committed root, as the contract takes it.

    `allotment_chain` and `values` are the sibling hashes and sums of the balance tree,
    `membership_chain` the sibling hashes of the token tree, `left` and `right` the interval,
    `active_state` and `passive_root` the leaf's digests, `passive_amount` and `passive_marker`
    its passive delivery.
    """

    trail: int
    allotment_chain: Sequence[bytes]
    membership_chain: Sequence[bytes]
    values: Sequence[int]
    left: int
    right: int
    active_state: bytes
    passive_root: bytes
    passive_amount: int
    passive_marker: int


def build_call(contract: Address, function: str, *arguments: Any, value: int = 0) -> Call:
    """A call of any function of the interface by its ABI name."""
    return Call(contract, functions()[function].encode(*arguments), value, function)


def submit_checkpoint(contract: Address, *, accumulator: bytes, root: bytes) -> Call:
    """Commit `root` for the current eon, bound to the previous eon's `accumulator`."""
    return build_call(contract, "submitCheckpoint", accumulator, root)


def register_token(contract: Address, token: Address) -> Call:
    """Give an ERC-20 token the next trail."""
    return build_call(contract, "registerERC20", token)


def deposit(contract: Address, *, token: Address, beneficiary: Address, amount: int) -> Call:
    """Put `amount` into the commit-chain; ether travels as the call's value."""
    value = amount if token == contract else 0
    return build_call(contract, "deposit", token, beneficiary, amount, value=value)


def pay_into_pool(contract: Address, *, token: Address, amount: int) -> Call:
    """Give the contract `amount` that belongs to nobody; not a deposit, so the bound counts it."""
    if token == contract:
        return Call(contract, b"", amount, "")
    data = TRANSFER_SELECTOR + encode(["address", "uint256"], [contract, amount])
    return Call(token, data, 0, "")


def request_withdrawal(
    contract: Address, *, token: Address, proof: BalanceProof, amount: int, fee: int
) -> Call:
    """Ask for `amount` with a proof against the previous eon's root.

    `fee`: wei, at least 100100 times the greater of the minimum challenge price and the gas
    price; the contract passes it to the operator.
    """
    return build_call(
        contract,
        "requestWithdrawal",
        token,
        (proof.active_state, proof.passive_root),
        proof.trail,
        proof.allotment_chain,
        proof.membership_chain,
        proof.values,
        ((proof.left, proof.right), (proof.passive_amount, proof.passive_marker)),
        amount,
        value=fee,
    )


def request_authorized_withdrawal(
    contract: Address, *, token: Address, amount: int, expiry: int, signature: bytes
) -> Call:
    """Ask for `amount` with the operator's signature in place of a proof."""
    return build_call(
        contract, "requestAuthorizedWithdrawal", token, amount, expiry, *_split(signature)
    )


def request_delegated_withdrawal(
    contract: Address,
    *,
    token: Address,
    holder: Address,
    amount: int,
    expiry: int,
    signature: bytes,
) -> Call:
    """Ask for `amount` on behalf of `holder`, with the holder's signature; operator only."""
    return build_call(
        contract, "requestDelegatedWithdrawal", token, holder, amount, expiry, *_split(signature)
    )


def confirm_withdrawal(contract: Address, *, token: Address, holder: Address) -> Call:
    """Pay all payable requests of one holder of one token."""
    return build_call(contract, "confirmWithdrawal", token, holder)


def slash_withdrawal(
    contract: Address,
    *,
    token: Address,
    holder: Address,
    marker_eon: int,
    marker_amount: int,
    signature: bytes,
) -> Call:
    """Cancel a holder's requests that exceed what the holder's signed marker says is left."""
    r, s, v = _split(signature)
    return build_call(
        contract,
        "slashWithdrawalWithProofOfMinimumAvailableBalance",
        token,
        holder,
        (marker_eon, marker_amount),
        (r, s),
        v,
    )


def _split(signature: bytes) -> tuple[bytes, bytes, int]:
    if len(signature) != 65:
        raise ValueError("a signature is 65 bytes: r, s, v")
    return signature[:32], signature[32:64], signature[64]
