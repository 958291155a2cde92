"""Nonces: given at the first broadcast, by one writer for each account."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.transactions.intents import EXEMPT_DUTIES, UNMINED
from models import SendingAccount, TransactionIntent
from protocol.address import Address

RESERVED_FOR_OTHERS = 4
"""Places among the unmined that withdrawal confirmations leave to more urgent duties."""


class Grant(StrEnum):
    """Whether an intent may have a nonce now, and if not why."""

    GIVEN = "given"
    PAUSED = "sending is paused"
    CROWDED = "too many transactions are waiting to be mined"


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
    session: Session, intent: TransactionIntent, *, node_count: int, limit: int
) -> Grant:
    """Give `intent` the lowest nonce from `node_count` that is not taken by another of ours.

    The node counts its pool in `node_count`. `limit` bounds the unmined transactions of the
    account; duties with a deadline are exempt. An intent that has a nonce keeps it.
    """
    account = lock_account(session, intent.account)
    if intent.nonce is not None:
        return Grant.GIVEN
    if account.paused:
        return Grant.PAUSED
    if intent.duty not in EXEMPT_DUTIES and _unmined(session, intent.account) >= _room(
        intent, limit
    ):
        return Grant.CROWDED
    nonce = _lowest_free(session, intent.account, node_count)
    intent.nonce, intent.state = nonce, "assigned"
    account.next_nonce = max(account.next_nonce, nonce + 1)
    session.flush()
    return Grant.GIVEN


def pause_account(session: Session, account: Address, *, paused: bool) -> None:
    """Stop or resume giving nonces; what is under way goes on."""
    lock_account(session, account).paused = paused
    session.flush()


def _room(intent: TransactionIntent, limit: int) -> int:
    is_payment = intent.duty == "withdrawal_confirmation"
    return max(1, limit - RESERVED_FOR_OTHERS) if is_payment else limit


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
