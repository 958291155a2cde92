"""What the ledger's rules depend on, handed in once by whoever composes the process."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.address import Address
from protocol.clock import EonClock
from protocol.editions import ContractEdition
from protocol.orders import MAX_ORDER_EONS
from protocol.signing import MessageSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPolicy:
    """What the operator decides by settings. Amounts in smallest units.

    `block_time_s` tells about how many blocks have passed while nobody looked at the chain.
    """

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
    block_time_s: float = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRules(LedgerPolicy):
    """The policy on one commit-chain: its contract, its operator's signer, its clock."""

    contract: Address
    operator: MessageSigner
    clock: EonClock
    edition: ContractEdition
