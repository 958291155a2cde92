"""Nonces: given at the first broadcast, by one writer for each account."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.transactions.intents import EXEMPT_DUTIES, RANKS, UNMINED, unmet_dependencies
from models import SendingAccount, TransactionIntent
from protocol.address import Address

RESERVED_FOR_OTHERS: Final = 4
"""Places among the unmined that withdrawal confirmations leave to more urgent duties."""

STILL_ASKING: Final = timedelta(minutes=2)
"""What has not asked for so long is paused or has lost its workflow: it keeps no place."""


class Grant(StrEnum):
    """Whether an intent may have a nonce now, and if not why."""

    GIVEN = "given"
    PAUSED = "sending is paused"
    CROWDED = "too many transactions are waiting to be mined"
    DEPENDENT = "it has to wait for another transaction"


def lock_account(session: Session, account: Address) -> SendingAccount:
    """The account's row, locked until the transaction ends; created at the first call."""
    session.execute(
        insert(SendingAccount)
        .values(account=account, next_nonce=0)
        .on_conflict_do_nothing(index_elements=["account"])
    )
    return session.scalars(
        select(SendingAccount).where(SendingAccount.account == account).with_for_update()
    ).one()


def assign_nonce(
    session: Session,
    intent: TransactionIntent,
    *,
    node_count: int,
    limit: int,
    is_pressed: bool = False,
) -> Grant:
    """Give `intent` the lowest nonce from `node_count` that is not taken by another of ours.

    The node counts its pool in `node_count`. `limit`, or what a person set for the account instead,
    bounds its unmined ordinary transactions; a place goes to whoever ranks first among those that
    ask. `is_pressed`: its deadline no longer lets it wait for what it depends on. An intent that
    has a nonce keeps it.
    """
    account = lock_account(session, intent.account)
    if intent.nonce is not None:
        return Grant.GIVEN
    if account.paused:
        return Grant.PAUSED
    if not is_pressed and unmet_dependencies(session, intent):
        return Grant.DEPENDENT
    if intent.duty not in EXEMPT_DUTIES and not _has_room(
        session, intent, account.in_flight or limit
    ):
        intent.asked_at = func.now()
        return Grant.CROWDED
    take_nonce(session, account, intent, _lowest_free(session, intent.account, node_count))
    return Grant.GIVEN


def take_nonce(
    session: Session, account: SendingAccount, intent: TransactionIntent, nonce: int
) -> None:
    """Give `intent` this nonce; the database refuses one that another of ours holds."""
    intent.nonce, intent.state = nonce, "assigned"
    account.next_nonce = max(account.next_nonce, nonce + 1)
    session.flush()


def pause_account(session: Session, account: Address, *, paused: bool) -> None:
    """Stop or resume giving nonces; what is under way goes on."""
    lock_account(session, account).paused = paused
    session.flush()


def _has_room(session: Session, intent: TransactionIntent, limit: int) -> bool:
    is_payment = intent.duty == "withdrawal_confirmation"
    room = max(1, limit - RESERVED_FOR_OTHERS) if is_payment else limit
    return _unmined(session, intent.account) + _ranked_before(session, intent) < room


def _unmined(session: Session, account: Address) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                TransactionIntent.account == account,
                TransactionIntent.state.in_(UNMINED),
                TransactionIntent.duty.not_in(EXEMPT_DUTIES),
            )
        )
        or 0
    )


def _ranked_before(session: Session, intent: TransactionIntent) -> int:
    """How many ordinary intents that ask for a place too have a better claim to it."""
    rank = func.array_position(list(RANKS), TransactionIntent.duty)
    own_rank = RANKS.index(intent.duty) + 1
    deadline = func.coalesce(TransactionIntent.deadline_block, _NEVER)
    own_deadline = intent.deadline_block if intent.deadline_block is not None else _NEVER
    is_before = or_(
        rank < own_rank,
        and_(rank == own_rank, deadline < own_deadline),
        and_(rank == own_rank, deadline == own_deadline, TransactionIntent.id < intent.id),
    )
    return (
        session.scalar(
            select(func.count()).where(
                TransactionIntent.account == intent.account,
                TransactionIntent.state == "queued",
                TransactionIntent.duty.not_in(EXEMPT_DUTIES),
                TransactionIntent.asked_at > func.now() - STILL_ASKING,
                is_before,
            )
        )
        or 0
    )


_NEVER: Final = 2**62


def _lowest_free(session: Session, account: Address, start: int) -> int:
    taken = session.scalars(
        select(TransactionIntent.nonce)
        .where(
            TransactionIntent.account == account,
            TransactionIntent.nonce >= start,
            TransactionIntent.state != "usurped",
        )
        .order_by(TransactionIntent.nonce)
    )
    nonce = start
    for used in taken:
        if used != nonce:
            break
        nonce += 1
    return nonce
