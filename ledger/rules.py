"""What the ledger's rules depend on, handed in once by whoever composes the process."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.address import Address
from protocol.clock import EonClock
from protocol.editions import ContractEdition
from protocol.orders import MAX_ORDER_EONS
from protocol.signing import Signer


@dataclass(frozen=True, slots=True)
class LedgerRules:
    """The constants of one commit-chain and the operator's policy. Amounts in smallest units."""

    contract: Address
    operator: Signer
    clock: EonClock
    edition: ContractEdition
    confirmations: int
    checkpoint_threshold_blocks: int
    swaps_enabled: bool
    sla_threshold: int
    sla_price: int
    sla_duration_days: int
    sla_token: Address
    sla_recipient: Address
    terms_grace_days: int
    bulk_admission_limit: int
    registrations_per_address_limit: int
    registrations_per_eon_limit: int
    overclaim_policy: str
    order_eons_limit: int = MAX_ORDER_EONS
