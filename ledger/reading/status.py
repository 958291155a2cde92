"""What the operator has seen of the chain, for those who ask how it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.clock import find_view
from ledger.rules import LedgerRules
from models import Alarm


@dataclass(frozen=True, slots=True)
class OperatorStatus:
    """Blocks and eons, newest and confirmed; `intake` is `open` or why nothing new is taken."""

    latest_block: int
    latest_eon: int
    confirmed_block: int
    confirmed_eon: int
    blocks_per_eon: int
    confirmations: int
    last_submitted_eon: int
    intake: str
    seen_at: datetime
    open_alarms: int


def find_status(session: Session, rules: LedgerRules) -> OperatorStatus | None:
    """Read the operator's status, None before the first block was seen."""
    view = find_view(session)
    if view is None:
        return None
    alarms = session.scalar(select(func.count()).where(Alarm.cleared_at.is_(None)))
    # Before the first confirmation the contract's own block counts as confirmed.
    confirmed = max(view.confirmed_block, rules.clock.genesis_block)
    return OperatorStatus(
        latest_block=view.latest_block,
        latest_eon=view.current_eon,
        confirmed_block=confirmed,
        confirmed_eon=rules.clock.eon_of(confirmed),
        blocks_per_eon=rules.clock.blocks_per_eon,
        confirmations=rules.confirmations,
        last_submitted_eon=view.last_submitted_eon,
        intake=view.intake,
        seen_at=view.seen_at,
        open_alarms=alarms or 0,
    )
