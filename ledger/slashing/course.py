"""The course of a decided slash: requests that fall under it too, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, select, text, update
from sqlalchemy.orm import Session

from ledger.clock import read_view
from ledger.rules import LedgerRules
from models import (
    ChainEvent,
    ChainView,
    Slash,
    Token,
    TransactionIntent,
    Wallet,
    WithdrawalRequest,
)
from protocol.address import checksum_address

SLASHED_EVENT: Final = "WithdrawalSlashed"
"""Emitted by our own edition; on the published one it is inferred and stored under this name."""

MINED: Final = ("mined", "confirmed")
"""States of an intent whose transaction did what it was to do; the contract may emit no event."""

_END: Final = text("""
UPDATE slash SET status = 'done'
WHERE status = 'open' AND wallet_id = ANY(:wallets ::bigint[]) AND NOT EXISTS (
    SELECT FROM withdrawal_request r WHERE r.slash_id = slash.id AND r.status = 'slash_queued'
)
""")

_RETURN: Final = text("""
UPDATE withdrawal_request r
SET status = CASE WHEN EXISTS (
        SELECT FROM eon WHERE number = r.eon AND closed_at IS NOT NULL
    ) THEN 'blocked' ELSE 'pending' END
WHERE r.slash_id = :slash AND r.status = 'slash_queued'
""")


@dataclass(frozen=True, slots=True)
class QueuedSlash:
    """A slash under way, in words; `is_mined` as the head shows it, which may still change."""

    label: str
    is_mined: bool


def join_open_slashes(
    session: Session, rules: LedgerRules, requests: Sequence[WithdrawalRequest]
) -> None:
    """Let requests just confirmed fall under the slashes that will drop them with the others.

    A slash under way drops whatever the contract lists of the wallet when it is mined. What was
    requested after it stays.
    """
    wallets = {one.wallet_id for one in requests if one.wallet_id is not None}
    if not wallets:
        return
    query = select(Slash).where(Slash.wallet_id.in_(wallets), Slash.status == "open")
    slashes = {slash.wallet_id: slash for slash in session.scalars(query)}
    if not slashes:
        return
    view = read_view(session)
    for request in requests:
        slash = slashes.get(request.wallet_id or 0)
        if slash is None:
            continue
        mined = find_mined_slash(session, slash.wallet_id)
        if _is_dropped(view, rules, request, mined):
            request.status, request.slash_id = "slash_queued", slash.id
    session.flush()


def _is_dropped(
    view: ChainView, rules: LedgerRules, request: WithdrawalRequest, mined: ChainEvent | None
) -> bool:
    if mined is None:
        submitted = view.last_submitted_eon
        eons = rules.edition.slashed_eons(view.current_eon, last_submission_eon=submitted)
        return request.eon in eons
    if request.block > mined.block:
        return False
    took_last = int(mined.arguments["previous_eon_amount"]) > 0
    return request.eon == mined.eon or (request.eon == mined.eon - 1 and took_last)


def find_mined_slash(session: Session, wallet_id: int) -> ChainEvent | None:
    """Find the oldest slash of a wallet that the head shows and depth does not yet."""
    address, token = session.execute(
        select(Wallet.address, Token.address)
        .join(Token, Token.id == Wallet.token_id)
        .where(Wallet.id == wallet_id)
    ).one()
    return session.scalars(
        select(ChainEvent)
        .where(
            ChainEvent.name == SLASHED_EVENT,
            ~ChainEvent.applied,
            ~ChainEvent.orphaned,
            ChainEvent.arguments["requestor"].astext == bytes(address).hex(),
            ChainEvent.arguments["token"].astext == bytes(token).hex(),
        )
        .order_by(ChainEvent.block, ChainEvent.log_index)
        .limit(1)
    ).first()


def queued_slashes(session: Session, eon: int) -> list[QueuedSlash]:
    """List the slashes under way that drop requests of `eon`, oldest first."""
    rows = session.execute(
        select(Slash.id, Slash.wallet_id, Wallet.address, Token.short_name, TransactionIntent.state)
        .join(Wallet, Wallet.id == Slash.wallet_id)
        .join(Token, Token.id == Wallet.token_id)
        .outerjoin(TransactionIntent, TransactionIntent.id == Slash.intent_id)
        .where(
            exists().where(
                WithdrawalRequest.slash_id == Slash.id,
                WithdrawalRequest.eon == eon,
                WithdrawalRequest.status == "slash_queued",
            )
        )
        .order_by(Slash.id)
    ).all()
    return [
        QueuedSlash(
            label=f"the slash of {row.short_name} {checksum_address(bytes(row.address))}",
            is_mined=row.state in MINED or find_mined_slash(session, row.wallet_id) is not None,
        )
        for row in rows
    ]


def end_slashes(session: Session, wallets: Sequence[int]) -> None:
    """Note as done the open slashes of these wallets whose requests are all gone."""
    session.execute(_END, {"wallets": list(wallets)})


def give_up_slash(session: Session, slash_id: int) -> None:
    """End a decision that the contract will not carry out.

    What was requested in a closed eon is nobody's to pay; anything else is decided on anew.
    """
    session.execute(update(Slash).where(Slash.id == slash_id).values(status="given_up"))
    session.execute(_RETURN, {"slash": slash_id})
