"""What a transfer's request says, and what the ledger answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from ledger.identities import WalletIdentity
from ledger.refusals import Refusal
from protocol.address import Address


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """A wallet's signed order to pay, its form already checked. Amounts in base units.

    `debit_*` names the sender, `credit_*` the recipient. The wallet signed two things: the marker
    (it keeps at most `marker_amount` in this eon) and the state that it expects to result.
    """

    debit_token: Address
    debit_address: Address
    credit_token: Address
    credit_address: Address
    amount: int
    eon: int
    nonce: int
    marker_amount: int
    marker_signature: bytes
    state_signature: bytes


@dataclass(frozen=True, slots=True)
class TransferAccepted:
    """A transfer that is committed, with the sender's countersigned state. Amounts in base units.

    `position` is what the recipient had received in the eon before. `tx_set_proof` lists the
    siblings of the new leaf (32 bytes each, leaf level first) at `tx_set_index` under
    `tx_set_hash`.
    """

    id: int
    tx_id: UUID
    sender: WalletIdentity
    recipient: WalletIdentity
    amount: int
    eon: int
    nonce: int
    position: int
    time: datetime
    spent: int
    gained: int
    tx_set_hash: bytes
    tx_set_index: int
    tx_set_proof: tuple[bytes, ...]
    wallet_signature: bytes
    operator_signature: bytes


class TransferRefused(Refusal):
    """A transfer that is refused for one reason or, in one step, for several.

    `reasons` holds all of them in the wire's order; `code`, `message` and `field` are the first's.
    `field` is `wallet` or `recipient` when a reference names nothing, else None.
    """

    def __init__(self, *reasons: Refusal) -> None:
        first = reasons[0]
        super().__init__(first.code, first.message, field=first.field)
        self.reasons = reasons


Verdict: TypeAlias = TransferAccepted | Refusal
