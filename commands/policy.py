"""What of the settings the rules of the ledger and of fees are made of."""

from chain.fees import FeePolicy
from ledger.rules import LedgerPolicy
from settings import Settings


def fee_policy(settings: Settings) -> FeePolicy:
    """What transactions may cost."""
    return FeePolicy(
        ceiling=settings.gas_max_fee_wei,
        critical_ceiling=settings.gas_max_fee_critical_wei,
        min_tip=settings.gas_min_tip_wei,
        bump_percent=settings.gas_bump_percent,
        bump_after_blocks=settings.gas_bump_after_blocks,
    )


def ledger_policy(settings: Settings) -> LedgerPolicy:
    """The part of the settings that the ledger's rules are made of."""
    return LedgerPolicy(
        confirmations=settings.confirmations,
        checkpoint_threshold_blocks=settings.checkpoint_threshold_blocks,
        swaps_enabled=settings.swaps_enabled,
        sla_threshold=settings.sla_threshold,
        sla_price=settings.sla_price,
        sla_duration_days=settings.sla_duration_days,
        sla_token=settings.sla_token_address,
        sla_recipient=settings.sla_recipient_address,
        terms_grace_days=settings.tos_update_window.days,
        bulk_admission_limit=settings.bulk_admission_limit,
        registrations_per_address_limit=settings.registrations_per_address,
        registrations_per_eon_limit=settings.registrations_per_eon,
        overclaim_policy=settings.overclaim_policy,
        order_eons_limit=settings.swaps_persistence_limit_eons,
        block_time_s=float(settings.block_time_s),
    )
