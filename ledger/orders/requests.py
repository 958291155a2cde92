"""What a trader's request to place an order says, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ledger.refusals import Refusal
from protocol.address import Address

Signatures: TypeAlias = tuple[bytes, ...]
"""One signature for each eon of an order, the current eon's first."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A trader's signed order, its form already checked. Amounts in base units.

    `debit_*` names the wallet that pays, `credit_*` the one of the same address that receives.
    The markers promise that both wallets keep nothing beside the order.
    """

    debit_token: Address
    debit_address: Address
    credit_token: Address
    credit_address: Address
    amount: int
    amount_swapped: int
    eon: int
    nonce: int
    debit_signatures: Signatures
    debit_marker_signatures: Signatures
    credit_signatures: Signatures
    credit_marker_signatures: Signatures
    fulfilment_signatures: Signatures
    sells: bool = True


class OrderRefused(Refusal):
    """An order that is refused for one reason or, in one step, for several.

    `reasons` holds all of them in the wire's order; `code`, `message` and `field` are the first's.
    """

    def __init__(self, *reasons: Refusal) -> None:
        first = reasons[0]
        super().__init__(first.code, first.message, field=first.field)
        self.reasons = reasons
