"""A confirmed event as the ledger reads it, and what its handlers are handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from ledger.notifications import wallet_stream
from ledger.rules import LedgerRules
from protocol.address import Address, checksum_address


@dataclass(frozen=True, slots=True)
class ConfirmedEvent:
    """A row of `chain_event`.

    `arguments` has the contract's members by name: bytes as hexadecimal digits without `0x`,
    integers as decimal strings or numbers.
    """

    id: int
    block: int
    eon: int
    transaction_hash: bytes
    name: str
    arguments: Mapping[str, Any]

    def data(self, name: str) -> bytes:
        """Read an argument of bytes: an address or a digest."""
        return bytes.fromhex(self.arguments[name])

    def number(self, name: str) -> int:
        """Read an integer argument."""
        return int(self.arguments[name])

    @property
    def participant(self) -> Address:
        """The address that a deposit is for, or whose withdrawal this is about."""
        return self.data("recipient" if self.name == "Deposit" else "requestor")


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token of the ledger; `text` is the wire's form without `0x`."""

    id: int
    address: Address
    text: str
    short_name: str


@dataclass(frozen=True, slots=True)
class KnownWallet:
    """A registered wallet of one token."""

    id: int
    stream: str


WalletKey: TypeAlias = tuple[int, Address]
"""Token id and address."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a batch of events stands on: its names are resolved, its accounts locked.

    `closed` are those eons of the batch that nothing may change any more.
    """

    session: Session
    rules: LedgerRules
    tokens: Mapping[Address, KnownToken]
    wallets: Mapping[WalletKey, KnownWallet]
    closed: frozenset[int]

    def token(self, event: ConfirmedEvent) -> KnownToken:
        """The token that a money event is about."""
        return self.tokens[event.data("token")]

    def key(self, event: ConfirmedEvent) -> WalletKey:
        """The wallet that a money event is about, registered or not."""
        return self.token(event).id, event.participant

    def wallet(self, event: ConfirmedEvent) -> KnownWallet | None:
        """The registered wallet that a money event is about, None for a stranger's address."""
        return self.wallets.get(self.key(event))

    def label(self, event: ConfirmedEvent) -> str:
        """Name the wallet of a money event for a person."""
        return f"{self.token(event).text}/{checksum_address(event.participant)}"


Handler: TypeAlias = Callable[[Ground, Sequence[ConfirmedEvent]], None]
"""Applies consecutive events of one kind, in their order."""


def known_wallet(wallet_id: int, token_text: str, wallet_text: str) -> KnownWallet:
    """Describe a registered wallet."""
    return KnownWallet(wallet_id, wallet_stream(token_text, wallet_text))
