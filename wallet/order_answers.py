"""What the operator answers to requests about orders, as typed records, read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol.address import Address, parse_address
from wallet.members import Members, decimal, flag, list_of, whole
from wallet.wire import MatchedAmounts, SignedState


@dataclass(frozen=True, slots=True)
class Frozen:
    """The answer to a freeze: amounts that do not move any more."""

    id: int
    tx_id: str
    matched: MatchedAmounts

    @classmethod
    def read(cls, value: Any) -> Frozen:
        """Read a FreezeReply object."""
        members = Members(value, "answer to a freeze")
        record = cls(
            members.take("id", whole),
            members.take("tx_id", str),
            members.take("matched_amounts", MatchedAmounts.read),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The answer to a cancellation: the states in which both wallets go on."""

    id: int
    tx_id: str
    debit_state: SignedState
    credit_state: SignedState

    @classmethod
    def read(cls, value: Any) -> Cancelled:
        """Read a CancelReply object."""
        members = Members(value, "answer to a cancellation")
        record = cls(
            members.take("id", whole),
            members.take("tx_id", str),
            members.take("sender_cancellation_active_state", SignedState.read),
            members.take("recipient_cancellation_active_state", SignedState.read),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class Finalised:
    """The answer to a finalisation: the state in which the buying wallet goes on."""

    id: int
    tx_id: str
    credit_state: SignedState

    @classmethod
    def read(cls, value: Any) -> Finalised:
        """Read a FinalizeReply object."""
        members = Members(value, "answer to a finalisation")
        record = cls(
            members.take("id", whole),
            members.take("tx_id", str),
            members.take("recipient_finalization_active_state", SignedState.read),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class ListedTransaction:
    """A line of the list of transactions: which copy of which order, and how it stands."""

    id: int
    tx_id: str
    eon: int
    address: Address
    sell_token: Address
    buy_token: Address
    is_order: bool
    complete: bool
    cancelled: bool
    voided: bool
    nonce: int
    amount: int
    amount_swapped: int | None
    time: int

    @classmethod
    def read(cls, value: Any) -> ListedTransaction:
        """Read a ConciseTransaction object."""
        members = Members(value, "listed transaction")
        address, sell_token = members.take("wallet", _short_reference)
        _, buy_token = members.take("recipient", _short_reference)
        members.take("passive", flag)
        record = cls(
            members.take("id", whole),
            members.take("tx_id", str),
            members.take("eon_number", whole),
            address,
            sell_token,
            buy_token,
            members.take("swap", flag),
            members.take("complete", flag),
            members.take("cancelled", flag),
            members.take("voided", flag),
            members.take("nonce", decimal),
            members.take("amount", decimal),
            members.optional("amount_swapped", decimal),
            members.take("time", whole),
        )
        members.close()
        return record


def read_page(value: Any) -> list[ListedTransaction]:
    """Read the results of a page."""
    members = Members(value, "page")
    members.take("count", whole)
    members.optional("next", str)
    members.optional("previous", str)
    rows = members.take("results", list_of(ListedTransaction.read))
    members.close()
    return rows


@dataclass(frozen=True, slots=True)
class BookLine:
    """Orders of one price: the limit of the first, and what all of them still pay and want."""

    amount: int
    amount_swapped: int
    remaining_out: int
    remaining_in: int

    @classmethod
    def read(cls, value: Any) -> BookLine:
        """Read an Order object."""
        members = Members(value, "line of the book")
        record = cls(
            members.take("amount", decimal),
            members.take("amount_swapped", decimal),
            members.take("remaining_out", decimal),
            members.take("remaining_in", decimal),
        )
        members.close()
        return record


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Open orders of a pair: `sells` spend the left token, `buys` the right one."""

    sells: list[BookLine]
    buys: list[BookLine]

    @classmethod
    def read(cls, value: Any) -> OrderBook:
        """Read an OrderBook object."""
        members = Members(value, "order book")
        record = cls(
            members.take("sell_orders", list_of(BookLine.read)),
            members.take("buy_orders", list_of(BookLine.read)),
        )
        members.close()
        return record


def _short_reference(value: Any) -> tuple[Address, Address]:
    members = Members(value, "short wallet reference")
    pair = members.take("address", parse_address), members.take("token", parse_address)
    members.close()
    return pair
