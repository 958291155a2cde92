"""Closing an eon: one short exclusive transaction after which nothing of the eon changes."""

from __future__ import annotations

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.clock import cursor_of, is_closed, read_view
from ledger.eon_lock import hold_eon
from ledger.orders.retirement import retire_orders
from ledger.refusals import LedgerInvariant
from ledger.rules import LedgerRules
from ledger.slashing import decide_slashes
from models import ChainEvent, Eon, EonMembership, Token


class EonNotSettled(LedgerInvariant):
    """The eon runs still, or money of its blocks is not confirmed or not applied yet."""


def close_eon(session: Session, rules: LedgerRules, eon: int) -> None:
    """Close `eon`; it is closed when the transaction commits. Once closed, nothing happens.

    Entries in flight are waited for, later ones are refused. Requests above what their wallets
    have are decided on, so that their leaves leave them out; open orders are retired, and the
    wallets admitted by now become the leaves of the next checkpoint. Eon 0, before the first,
    holds nothing and is closed to fix the leaves of eon 1.

    Raises `EonNotSettled` while the last block of the eon is not confirmed and applied.
    """
    hold_eon(cursor_of(session), eon)
    if is_closed(session, eon):
        return
    if eon > 0:
        _require_settled(session, rules, eon)
        decide_slashes(session, rules)
        retire_orders(session, rules, eon)
    closed = insert(Eon).values(number=eon, closed_at=func.now())
    session.execute(
        closed.on_conflict_do_update(index_elements=["number"], set_={"closed_at": func.now()})
    )
    active = select(Token).where(Token.state == "active").order_by(Token.trail).with_for_update()
    for token in session.scalars(active.execution_options(populate_existing=True)).all():
        session.add(EonMembership(eon=eon, token_id=token.id, wallet_count=token.wallet_count))
    session.flush()


def _require_settled(session: Session, rules: LedgerRules, eon: int) -> None:
    view = read_view(session)
    last = rules.clock.last_block(eon)
    if view.current_eon <= eon:
        raise EonNotSettled(f"eon {eon} is not over")
    if view.confirmed_block < last:
        raise EonNotSettled(f"block {last}, the last of eon {eon}, is not confirmed")
    waiting = select(
        exists().where(
            ChainEvent.block <= last, ChainEvent.applied.is_(False), ChainEvent.orphaned.is_(False)
        )
    )
    if session.scalar(waiting):
        raise EonNotSettled(f"events of eon {eon} are not applied yet")
