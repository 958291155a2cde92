"""The operator's shared objects as typed records, read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol.address import Address, parse_address
from protocol.signing import parse_signature
from wallet.errors import MalformedAnswer
from wallet.members import (
    Members,
    bare,
    chain_of,
    decimal,
    flag,
    list_of,
    prefixed,
    whole,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """An admission: the owner's signature and, once admitted, the operator's with the trail."""

    eon: int
    authorization: bytes
    operator_authorization: bytes | None
    trail: int | None

    @classmethod
    def read(cls, value: Any) -> Registration:
        """Read an Admission object."""
        members = Members(value, "admission")
        record = cls(
            members.take("eon_number", whole),
            members.take("authorization", parse_signature),
            members.optional("operator_authorization", parse_signature),
            members.optional("trail_identifier", whole),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class Party:
    """A wallet as it is named inside a transaction."""

    address: Address
    address_text: str
    token: Address
    trail: int

    @classmethod
    def read(cls, value: Any) -> Party:
        """Read a WalletRef object."""
        members = Members(value, "wallet reference")
        text = members.take("address", str)
        record = cls(
            parse_address(text),
            text,
            members.take("token", parse_address),
            members.take("trail_identifier", whole),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class SignedState:
    """An active state as the wire carries it; the path is None in its concise form."""

    wallet_signature: bytes
    operator_signature: bytes | None
    spent: int
    gained: int
    tx_set_root: bytes
    path: list[bytes] | None
    index: int | None

    @classmethod
    def read(cls, value: Any) -> SignedState:
        """Read an ActiveState or a ConciseActiveState object."""
        members = Members(value, "active state")
        record = cls(
            members.take("wallet_signature", parse_signature),
            members.optional("operator_signature", parse_signature),
            members.take("updated_spendings", decimal),
            members.take("updated_gains", decimal),
            members.take("tx_set_hash", bare),
            members.optional("tx_set_proof", chain_of(prefixed)),
            members.optional("tx_set_index", whole),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class AllotmentProof:
    """A wallet's leaf in a checkpoint and its way up to the root."""

    eon: int
    left: int
    right: int
    allotment_chain: list[bytes]
    membership_chain: list[bytes]
    values: list[int]
    trail: int
    active_digest: bytes
    active_state: SignedState | None
    passive_root: bytes
    passive_amount: int
    passive_marker: int

    @property
    def balance(self) -> int:
        """The allotment, in smallest units."""
        return self.right - self.left

    @classmethod
    def read(cls, value: Any) -> AllotmentProof:
        """Read a Proof object."""
        members = Members(value, "proof")
        record = cls(
            members.take("eon_number", whole),
            members.take("left", decimal),
            members.take("right", decimal),
            members.take("allotment_chain", chain_of(prefixed)),
            members.take("membership_chain", chain_of(prefixed)),
            members.take("values", chain_of(decimal)),
            members.take("trail", whole),
            members.take("active_state_checksum", prefixed),
            members.optional("active_state", SignedState.read),
            members.take("passive_checksum", prefixed),
            members.take("passive_amount", decimal),
            members.take("passive_marker", decimal),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class Delivery:
    """Proof that a transfer is in its recipient's passive tree."""

    proof: AllotmentProof | None
    chain: list[bytes]
    index: int
    values: list[int] | None

    @classmethod
    def read(cls, value: Any) -> Delivery:
        """Read a DeliveryProof object."""
        members = Members(value, "delivery proof")
        record = cls(
            members.optional("merkle_proof", AllotmentProof.read),
            members.take("transfer_membership_chain", chain_of(prefixed)),
            members.take("transfer_membership_trail", whole),
            members.optional("transfer_membership_values", chain_of(decimal)),
        )
        members.close()
        return record


ORDER_MEMBERS = (
    "amount_swapped",
    "recipient_active_state",
    "recipient_fulfillment_active_state",
    "recipient_finalization_active_state",
    "swap_freezing_signature",
    "sender_cancellation_active_state",
    "sender_finalization_active_state",
    "recipient_cancellation_active_state",
    "sender_starting_balance",
    "recipient_starting_balance",
    "matched_amounts",
)
FLAGS = ("passive", "processed", "complete", "voided", "cancelled", "appended", "swap")


@dataclass(frozen=True, slots=True)
class Transaction:
    """A passive transfer in its full form. What only orders have is null and is not kept."""

    id: int
    tx_id: str
    sender: Party
    recipient: Party
    amount: int
    nonce: int
    eon: int
    position: int
    state: SignedState
    delivery: Delivery | None
    final: bool
    time: int

    @classmethod
    def read(cls, value: Any) -> Transaction:
        """Read a Transaction object of a passive transfer. Raises for orders and odd flags."""
        members = Members(value, "transaction")
        for name in ORDER_MEMBERS:
            if members.optional(name, str) is not None:
                raise MalformedAnswer(f"a transfer has no {name}")
        flags = {name: members.take(name, flag) for name in FLAGS}
        members.take("sell_order", flag)
        if not flags["passive"] or flags["swap"] or flags["voided"] or flags["cancelled"]:
            raise MalformedAnswer(f"not a passive transfer: {flags}")
        record = cls(
            members.take("id", whole),
            members.take("tx_id", str),
            members.take("wallet", Party.read),
            members.take("recipient", Party.read),
            members.take("amount", decimal),
            members.take("nonce", decimal),
            members.take("eon_number", whole),
            members.take("position", decimal),
            members.take("sender_active_state", SignedState.read),
            members.optional("delivery_proof", Delivery.read),
            flags["appended"] and flags["processed"] and flags["complete"],
            members.take("time", whole),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class MatchedAmounts:
    """What an order has sold and bought, over all its eons."""

    bought: int
    sold: int

    @classmethod
    def read(cls, value: Any) -> MatchedAmounts:
        """Read a MatchedAmounts object."""
        members = Members(value, "matched amounts")
        record = cls(members.take("matched_in", decimal), members.take("matched_out", decimal))
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order's copy of one eon in its full form.

    `debit` is the wallet that sells up to `amount`, `credit` the one that wants `amount_swapped`;
    the starts are those that copies of later eons were signed with.
    """

    id: int
    tx_id: str
    debit: Party
    credit: Party
    amount: int
    amount_swapped: int
    nonce: int
    eon: int
    sells: bool
    debit_start: int
    credit_start: int
    debit_state: SignedState
    credit_state: SignedState
    fulfilment_state: SignedState
    finalisation_state: SignedState | None
    debit_cancellation: SignedState | None
    credit_cancellation: SignedState | None
    freeze_signature: bytes | None
    matched: MatchedAmounts
    appended: bool
    processed: bool
    complete: bool
    cancelled: bool
    voided: bool
    time: int

    @property
    def is_ended(self) -> bool:
        """Whether its trader has finalised or cancelled it."""
        return self.finalisation_state is not None or self.debit_cancellation is not None

    @classmethod
    def read(cls, value: Any) -> OrderRow:
        """Read a Transaction object of an order. Raises for transfers and odd flags."""
        members = Members(value, "order")
        flags = {name: members.take(name, flag) for name in FLAGS}
        members.optional("position", decimal)
        members.optional("delivery_proof", Delivery.read)
        if flags["passive"] or not flags["swap"]:
            raise MalformedAnswer(f"not an order: {flags}")
        if members.optional("sender_finalization_active_state", str) is not None:
            raise MalformedAnswer("no wallet signs a finalisation of the side that sells")
        record = cls(
            members.take("id", whole),
            members.take("tx_id", str),
            members.take("wallet", Party.read),
            members.take("recipient", Party.read),
            members.take("amount", decimal),
            members.take("amount_swapped", decimal),
            members.take("nonce", decimal),
            members.take("eon_number", whole),
            members.take("sell_order", flag),
            members.take("sender_starting_balance", decimal),
            members.take("recipient_starting_balance", decimal),
            members.take("sender_active_state", SignedState.read),
            members.take("recipient_active_state", SignedState.read),
            members.take("recipient_fulfillment_active_state", SignedState.read),
            members.optional("recipient_finalization_active_state", SignedState.read),
            members.optional("sender_cancellation_active_state", SignedState.read),
            members.optional("recipient_cancellation_active_state", SignedState.read),
            members.optional("swap_freezing_signature", parse_signature),
            members.take("matched_amounts", MatchedAmounts.read),
            flags["appended"],
            flags["processed"],
            flags["complete"],
            flags["cancelled"],
            flags["voided"],
            members.take("time", whole),
        )
        members.close()
        return record


def read_transaction(value: Any) -> Transaction | OrderRow:
    """Read a Transaction object of either kind."""
    is_order = isinstance(value, dict) and value.get("swap") is True
    return OrderRow.read(value) if is_order else Transaction.read(value)


@dataclass(frozen=True, slots=True)
class ChainMove:
    """A deposit, a withdrawal request or a paid withdrawal."""

    transaction_hash: bytes
    block: int
    eon: int
    amount: int
    slashed: bool

    @classmethod
    def read(cls, value: Any) -> ChainMove:
        """Read a Deposit, WithdrawalRequest or Withdrawal object."""
        members = Members(value, "chain move")
        members.optional("request", ChainMove.read)
        members.take("time", whole)
        record = cls(
            members.take("txid", bare),
            members.take("block", whole),
            members.take("eon_number", whole),
            members.take("amount", decimal),
            members.optional("slashed", flag) or False,
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class WalletState:
    """All that the operator says of one wallet in one eon; orders apart from transfers."""

    registration: Registration
    proof: AllotmentProof | None
    transactions: list[Transaction]
    orders: list[OrderRow]
    deposits: list[ChainMove]
    withdrawal_requests: list[ChainMove]
    withdrawals: list[ChainMove]

    @classmethod
    def read(cls, value: Any) -> WalletState:
        """Read a WalletState object."""
        members = Members(value, "wallet state")
        moves = list_of(ChainMove.read)
        rows = members.take("transactions", list_of(read_transaction))
        record = cls(
            members.take("registration", Registration.read),
            members.optional("merkle_proof", AllotmentProof.read),
            [row for row in rows if isinstance(row, Transaction)],
            [row for row in rows if isinstance(row, OrderRow)],
            members.take("deposits", moves),
            members.take("withdrawal_requests", moves),
            members.take("withdrawals", moves),
        )
        members.close()
        return record
