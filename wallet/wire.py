"""The operator's answers as typed records. A member too many is as wrong as one too few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from protocol.address import Address, parse_address
from protocol.encoding import parse_amount
from protocol.errors import ProtocolError
from protocol.signing import parse_signature
from wallet.errors import MalformedAnswer

DEEPEST_PROOF = 32

T = TypeVar("T")


class Members:
    """One JSON object, read member by member; `close` complains of members nobody read."""

    def __init__(self, value: Any, what: str) -> None:
        if not isinstance(value, dict):
            raise MalformedAnswer(f"{what} is not an object")
        self._left = dict(value)
        self._what = what

    def take(self, name: str, read: Callable[[Any], T]) -> T:
        """Read a required member."""
        if name not in self._left:
            raise MalformedAnswer(f"{self._what} lacks {name}")
        try:
            return read(self._left.pop(name))
        except (ProtocolError, ValueError, TypeError) as cause:
            raise MalformedAnswer(f"{name} of {self._what} is malformed: {cause}") from cause

    def optional(self, name: str, read: Callable[[Any], T]) -> T | None:
        """Read a member that may be null or absent."""
        if self._left.get(name) is None:
            self._left.pop(name, None)
            return None
        return self.take(name, read)

    def close(self) -> None:
        """Refuse what was not read."""
        if self._left:
            raise MalformedAnswer(f"{self._what} has unknown members: {sorted(self._left)}")


def whole(value: Any) -> int:
    """Read a JSON number that must be whole and not negative."""
    if type(value) is not int or value < 0:
        raise ValueError(f"not a whole number: {value!r}")
    return value


def decimal(value: Any) -> int:
    """Read an amount: a string of decimal digits."""
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        raise ValueError(f"not a decimal string: {value!r}")
    return parse_amount(value)


def flag(value: Any) -> bool:
    """Read a JSON boolean."""
    if not isinstance(value, bool):
        raise ValueError(f"not a boolean: {value!r}")
    return value


def prefixed(value: Any) -> bytes:
    """Read a digest written with 0x."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"not a prefixed digest: {value!r}")
    return bare(value[2:])


def bare(value: Any) -> bytes:
    """Read a digest written without 0x."""
    if not isinstance(value, str) or len(value) != 64:
        raise ValueError(f"not a digest: {value!r}")
    return bytes.fromhex(value)


def _list(read: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    def read_all(value: Any) -> list[T]:
        if not isinstance(value, list):
            raise ValueError("not a list")
        return [read(item) for item in value]

    return read_all


def _chain(read: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    def read_chain(value: Any) -> list[T]:
        items = _list(read)(value)
        if len(items) > DEEPEST_PROOF:
            raise ValueError(f"a proof of {len(items)} levels")
        return items

    return read_chain


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
            members.optional("tx_set_proof", _chain(prefixed)),
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
            members.take("allotment_chain", _chain(prefixed)),
            members.take("membership_chain", _chain(prefixed)),
            members.take("values", _chain(decimal)),
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
            members.take("transfer_membership_chain", _chain(prefixed)),
            members.take("transfer_membership_trail", whole),
            members.optional("transfer_membership_values", _chain(decimal)),
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
    """A transfer in its full form. What only orders have is null and is not kept."""

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
    """All that the operator says of one wallet in one eon."""

    registration: Registration
    proof: AllotmentProof | None
    transactions: list[Transaction]
    deposits: list[ChainMove]
    withdrawal_requests: list[ChainMove]
    withdrawals: list[ChainMove]

    @classmethod
    def read(cls, value: Any) -> WalletState:
        """Read a WalletState object."""
        members = Members(value, "wallet state")
        moves = _list(ChainMove.read)
        record = cls(
            members.take("registration", Registration.read),
            members.optional("merkle_proof", AllotmentProof.read),
            members.take("transactions", _list(Transaction.read)),
            members.take("deposits", moves),
            members.take("withdrawal_requests", moves),
            members.take("withdrawals", moves),
        )
        members.close()
        return record
