"""Attempts: the signed forms of an intent, all with its nonce, each dearer than the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from ledger.refusals import LedgerInvariant
from models import TransactionAttempt, TransactionIntent
from protocol.address import Address

LEGACY: Final = 0
DYNAMIC: Final = 2
CANCELS: Final = "cancels"
"""Outcome of an attempt that does nothing but use the nonce up."""

MOST_FORERUNNERS: Final = 100
"""More unmined transactions before one are never looked at in one go."""


@dataclass(frozen=True, slots=True)
class SignedAttempt:
    """Signed bytes and what was offered for them, in wei for each gas; legacy: tip = cap."""

    type: int
    fee_cap: int
    tip: int
    gas_limit: int
    hash: bytes
    raw: bytes
    signed_at_block: int
    cancels: bool = False


def attempts_of(session: Session, intent_id: int) -> Sequence[TransactionAttempt]:
    """All attempts of an intent, oldest first."""
    return session.scalars(
        select(TransactionAttempt)
        .where(TransactionAttempt.intent_id == intent_id)
        .order_by(TransactionAttempt.number)
    ).all()


def store_attempt(session: Session, intent: TransactionIntent, signed: SignedAttempt) -> int:
    """Write an attempt ahead of sending it; returns its number, counted from 1."""
    if intent.nonce is None:
        raise LedgerInvariant(f"the intent {intent.key} has no nonce to sign with")
    last = session.scalar(
        select(func.max(TransactionAttempt.number)).where(TransactionAttempt.intent_id == intent.id)
    )
    number = (last or 0) + 1
    session.add(
        TransactionAttempt(
            intent_id=intent.id,
            number=number,
            nonce=intent.nonce,
            type=signed.type,
            fee_cap=signed.fee_cap,
            tip=signed.tip,
            gas_limit=signed.gas_limit,
            hash=signed.hash,
            raw=signed.raw,
            signed_at_block=signed.signed_at_block,
            outcome=CANCELS if signed.cancels else None,
        )
    )
    intent.state = "broadcast"
    if intent.first_broadcast_block is None:
        intent.first_broadcast_block = signed.signed_at_block
    session.flush()
    return number


def note_broadcast(session: Session, attempt_hash: bytes) -> None:
    """Remember that the bytes of an attempt went out, now."""
    session.execute(
        update(TransactionAttempt)
        .where(TransactionAttempt.hash == attempt_hash)
        .values(last_broadcast=func.now())
    )


@dataclass(frozen=True, slots=True)
class Forerunner:
    """The newest attempt of an intent whose nonce comes before another's."""

    intent_id: int
    key: str
    state: str
    attempt: TransactionAttempt


def forerunners(session: Session, account: Address, first: int, before: int) -> list[Forerunner]:
    """The newest attempt of every nonce of ours from `first` up to `before`, in order.

    A chain that comes back shorter has forgotten them, finished ones included; without them
    nothing that follows can be mined.
    """
    rows = session.execute(
        select(TransactionIntent.id, TransactionIntent.key, TransactionIntent.state)
        .add_columns(TransactionAttempt)
        .ext(distinct_on(TransactionAttempt.nonce))
        .join(TransactionIntent, TransactionIntent.id == TransactionAttempt.intent_id)
        .where(
            TransactionIntent.account == account,
            TransactionIntent.state != "usurped",
            TransactionAttempt.nonce >= first,
            TransactionAttempt.nonce < before,
        )
        .order_by(TransactionAttempt.nonce, TransactionAttempt.number.desc())
        .limit(MOST_FORERUNNERS)
    )
    return [Forerunner(*row) for row in rows]
