"""The facts that the wire's objects are made of.

Amounts are integers in smallest units, texts of addresses 40 digits in their stored letter case
without `0x`, digests and signatures bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.proofs import AllotmentProof


@dataclass(frozen=True, slots=True)
class Registration:
    """A wallet's admission; trail and operator's signature are None while it waits."""

    eon: int
    authorization: bytes
    operator_authorization: bytes | None
    trail: int | None


@dataclass(frozen=True, slots=True)
class WalletReference:
    """A party of a transaction."""

    address_text: str
    token_text: str
    trail: int | None


@dataclass(frozen=True, slots=True)
class SignedState:
    """An active state with its signatures and the path of the entry that made it."""

    wallet_signature: bytes
    operator_signature: bytes | None
    spent: int
    gained: int
    tx_set_hash: bytes
    tx_set_index: int
    tx_set_proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class WalletProof:
    """A wallet's leaf in a checkpoint with its proof, and the state it commits to."""

    allotment: AllotmentProof
    active_state: SignedState | None


@dataclass(frozen=True, slots=True)
class DeliveryProof:
    """That a receipt is part of what its recipient's leaf commits to.

    `wallet_proof` is the recipient's, at the eon after; None where the viewer does not need it.
    """

    wallet_proof: WalletProof | None
    chain: tuple[bytes, ...]
    trail: int
    values: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transfer, or one eon's copy of an order, with everything that the wire shows of it."""

    id: int
    tx_id: UUID
    amount: int
    amount_swapped: int | None
    wallet: WalletReference
    recipient: WalletReference
    nonce: int
    passive: bool
    position: int | None
    sender_active_state: SignedState | None
    recipient_active_state: SignedState | None
    recipient_fulfillment_active_state: SignedState | None
    recipient_finalization_active_state: SignedState | None
    sender_cancellation_active_state: SignedState | None
    recipient_cancellation_active_state: SignedState | None
    freeze_signature: bytes | None
    sender_starting_balance: int | None
    recipient_starting_balance: int | None
    delivery_proof: DeliveryProof | None
    eon: int
    processed: bool
    complete: bool
    voided: bool
    cancelled: bool
    appended: bool
    swap: bool
    sell_order: bool
    matched_out: int
    matched_in: int
    time: datetime


@dataclass(frozen=True, slots=True)
class TransactionSummary:
    """A line of the list of transactions."""

    id: int
    tx_id: UUID
    amount: int
    amount_swapped: int | None
    wallet: WalletReference
    recipient: WalletReference
    nonce: int
    passive: bool
    eon: int
    complete: bool
    cancelled: bool
    voided: bool
    swap: bool
    time: datetime


@dataclass(frozen=True, slots=True)
class DepositFact:
    """A credited deposit."""

    transaction_hash: bytes
    block: int
    eon: int
    amount: int
    time: datetime


@dataclass(frozen=True, slots=True)
class RequestFact:
    """A withdrawal request."""

    transaction_hash: bytes
    block: int
    eon: int
    amount: int
    time: datetime
    slashed: bool


@dataclass(frozen=True, slots=True)
class WithdrawalFact:
    """A withdrawal that was paid out, and the request that asked for it."""

    transaction_hash: bytes
    block: int
    eon: int
    amount: int
    time: datetime
    request: RequestFact


@dataclass(frozen=True, slots=True)
class WalletState:
    """A wallet in one eon; `proof` is None while the eon has no checkpoint with the wallet."""

    registration: Registration
    proof: WalletProof | None
    transactions: tuple[Transaction, ...]
    deposits: tuple[DepositFact, ...]
    withdrawal_requests: tuple[RequestFact, ...]
    withdrawals: tuple[WithdrawalFact, ...]


def digests_of(concatenated: bytes) -> tuple[bytes, ...]:
    """Cut stored digests apart, 32 bytes each."""
    return tuple(concatenated[i : i + 32] for i in range(0, len(concatenated), 32))
