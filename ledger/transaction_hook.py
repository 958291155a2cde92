"""How far the hook for transactions has come along the outbox.

Ids of the outbox are taken in one order and committed in another, so a higher one may be seen
before a lower one. Up to the mark everything is delivered; it follows only where no transaction
can still fill a gap.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.reading.listing import summaries_by_id
from ledger.reading.values import TransactionSummary
from ledger.transfers.writing import EVENT
from models import Notification, TransactionHookMark

_HORIZON: Final = text("""
SELECT (SELECT COALESCE(max(id), 0) FROM notification),
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint
""")
_BORDER: Final = text("SELECT pg_current_xact_id()::text::bigint")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A transfer that the hook must be told of, with the id of its notification."""

    id: int
    time: datetime
    transaction: TransactionSummary


@dataclass(frozen=True, slots=True)
class Horizon:
    """The newest visible id of the outbox, and the oldest transaction that still runs."""

    newest: int
    oldest_running: int


def open_mark(session: Session, since: datetime) -> int:
    """Read the mark, at least at what is older than `since`; the first call sets it at the newest.

    So a hook tells of what comes after it was first set up, and catches up no further than that.
    """
    newest = select(func.coalesce(func.max(Notification.id), 0)).scalar_subquery()
    row = insert(TransactionHookMark).values(id=1, delivered=newest)
    session.execute(row.on_conflict_do_nothing())
    old = select(Notification.id).where(Notification.time < since)
    passed = session.scalar(old.order_by(Notification.time.desc()).limit(1)) or 0
    mark = session.scalars(select(TransactionHookMark.delivered)).one()
    if passed > mark:
        move_mark(session, passed)
    return max(mark, passed)


def move_mark(session: Session, delivered: int) -> None:
    """Everything up to `delivered` has been told."""
    session.execute(update(TransactionHookMark).values(delivered=delivered))


def read_horizon(session: Session) -> Horizon:
    """Read where the outbox stands, for the rule by which the mark may follow."""
    newest, oldest = session.execute(_HORIZON).one()
    return Horizon(newest, oldest)


def draw_border(session: Session) -> int:
    """Take a transaction's number: whoever may have taken an id until now has a lower one."""
    border: int = session.execute(_BORDER).scalar_one()
    return border


def undelivered(
    session: Session, mark: int, delivered: Collection[int], limit: int
) -> list[Confirmed]:
    """Read transfers above the mark that are not `delivered`, oldest first."""
    rows = session.execute(
        select(Notification.id, Notification.time, Notification.transfer_id)
        .where(Notification.id > mark, Notification.event == EVENT)
        .order_by(Notification.id)
        .limit(limit + len(delivered))
    ).all()
    fresh = [row for row in rows if row.id not in delivered][:limit]
    summaries = summaries_by_id(session, [row.transfer_id for row in fresh])
    return [Confirmed(row.id, row.time, summaries[row.transfer_id]) for row in fresh]
