"""Deposits, withdrawal requests and withdrawals of wallets in one eon, in their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.reading.values import DepositFact, RequestFact, WithdrawalFact
from models import Deposit, Withdrawal, WithdrawalRequest


def deposits_of(
    session: Session, wallet_ids: Iterable[int], eon: int
) -> dict[int, tuple[DepositFact, ...]]:
    """Read what was credited to wallets in `eon`, by wallet id."""
    rows = session.scalars(
        select(Deposit)
        .where(Deposit.wallet_id.in_(set(wallet_ids)), Deposit.eon == eon)
        .order_by(Deposit.id)
    )
    found: dict[int, list[DepositFact]] = defaultdict(list)
    for row in rows:
        fact = DepositFact(bytes(row.transaction_hash), row.block, row.eon, row.amount, row.time)
        found[row.wallet_id].append(fact)
    return {wallet_id: tuple(facts) for wallet_id, facts in found.items()}


def requests_of(
    session: Session, wallet_ids: Iterable[int], eon: int
) -> dict[int, tuple[RequestFact, ...]]:
    """Read what wallets asked to withdraw in `eon`, by wallet id."""
    rows = session.scalars(
        select(WithdrawalRequest)
        .where(WithdrawalRequest.wallet_id.in_(set(wallet_ids)), WithdrawalRequest.eon == eon)
        .order_by(WithdrawalRequest.id)
    )
    found: dict[int, list[RequestFact]] = defaultdict(list)
    for row in rows:
        if row.wallet_id is not None:
            found[row.wallet_id].append(_request(row))
    return {wallet_id: tuple(facts) for wallet_id, facts in found.items()}


def withdrawals_of(
    session: Session, wallet_ids: Iterable[int], eon: int
) -> dict[int, tuple[WithdrawalFact, ...]]:
    """Read what the contract paid to wallets in `eon`, by wallet id."""
    rows = session.execute(
        select(Withdrawal, WithdrawalRequest)
        .join(WithdrawalRequest, WithdrawalRequest.id == Withdrawal.request_id)
        .where(Withdrawal.wallet_id.in_(set(wallet_ids)), Withdrawal.eon == eon)
        .order_by(Withdrawal.id)
    )
    found: dict[int, list[WithdrawalFact]] = defaultdict(list)
    for row, request in rows:
        if row.wallet_id is None:
            continue
        fact = WithdrawalFact(
            transaction_hash=bytes(row.transaction_hash),
            block=row.block,
            eon=row.eon,
            amount=row.amount,
            time=row.time,
            request=_request(request),
        )
        found[row.wallet_id].append(fact)
    return {wallet_id: tuple(facts) for wallet_id, facts in found.items()}


def _request(row: WithdrawalRequest) -> RequestFact:
    return RequestFact(
        transaction_hash=bytes(row.transaction_hash),
        block=row.block,
        eon=row.eon,
        amount=row.amount,
        time=row.time,
        slashed=row.status == "slashed",
    )
