"""What sending costs: gas of mined transactions, and the day's budget that it is held against."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from ledger.transactions.intents import UNMINED
from models import TransactionAttempt, TransactionIntent
from protocol.address import Address


def note_cost(session: Session, intent_id: int, gas_cost: int) -> None:
    """Remember what the gas of a mined transaction cost, in wei; the first time sets the day."""
    session.execute(
        update(TransactionIntent)
        .where(TransactionIntent.id == intent_id)
        .values(gas_cost=gas_cost, mined_at=func.coalesce(TransactionIntent.mined_at, func.now()))
    )


def forget_cost(session: Session, intent_id: int) -> None:
    """Its block has left the chain: nothing was spent."""
    session.execute(
        update(TransactionIntent)
        .where(TransactionIntent.id == intent_id)
        .values(gas_cost=None, mined_at=None)
    )


def spent_on(session: Session, account: Address, day: datetime) -> int:
    """The gas costs of one UTC day, in wei."""
    start = day.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(
        session.scalar(
            select(func.coalesce(func.sum(TransactionIntent.gas_cost), 0)).where(
                TransactionIntent.account == account, TransactionIntent.mined_at >= start
            )
        )
        or 0
    )


def claimed_funds(session: Session, account: Address, *, except_intents: Collection[int]) -> int:
    """What other unmined transactions of the account may cost at most, in wei."""
    rows = session.execute(
        select(TransactionAttempt.fee_cap, TransactionAttempt.gas_limit, TransactionIntent.value)
        .ext(distinct_on(TransactionIntent.id))
        .join(TransactionIntent, TransactionIntent.id == TransactionAttempt.intent_id)
        .where(
            TransactionIntent.account == account,
            TransactionIntent.state.in_(UNMINED),
            TransactionIntent.id.not_in(list(except_intents)),
        )
        .order_by(TransactionIntent.id, TransactionAttempt.number.desc())
    )
    return sum(cap * gas + value for cap, gas, value in rows)
