"""The ledger's clock, whether it takes new entries, and what keeps an eon open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.eon_lock import share_eon
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from models import ChainView, Eon

INTAKE_CLOSED: Final = "INTAKE_CLOSED"
"""Not a code of the wire: the API answers 503 with `Retry-After`, and nothing has happened."""

LEAST_BLIND_TIME: Final = timedelta(minutes=5)
"""For so long payments go on without anybody looking at the chain, however short the eons are."""

MOST_BLIND_TIME: Final = timedelta(days=1)
"""For no longer do payments go on without anybody looking at the chain, however long the eons."""

STALE_AFTER: Final = timedelta(minutes=1)
"""A view that nobody renewed for so long tells that the duties stand still."""


def find_view(session: Session) -> ChainView | None:
    """Read the ledger's view of the chain, None before the first block was seen."""
    return session.get(ChainView, 1, populate_existing=True)


def read_view(session: Session) -> ChainView:
    """Read the ledger's view of the chain. Refuses with `INTAKE_CLOSED` before the first block."""
    view = find_view(session)
    if view is None:
        raise Refusal(INTAKE_CLOSED, "the chain has not been seen yet")
    return view


def current_eon(session: Session) -> int:
    """Tell the eon of the newest block seen; the clock never runs backwards."""
    return read_view(session).current_eon


def blind_until(view: ChainView, rules: LedgerRules) -> datetime:
    """Until when new entries are taken although nobody looks at the chain.

    That is until the first checkpoint of which the view does not know would be an epoch late, as
    far as the time of a block tells, but within `LEAST_BLIND_TIME` and `MOST_BLIND_TIME`.
    """
    is_submitted = view.last_submitted_eon >= view.current_eon
    due = rules.clock.checkpoint_target_block(view.current_eon + is_submitted)
    left_s = (due - view.latest_block) * rules.block_time_s
    least_s, most_s = LEAST_BLIND_TIME.total_seconds(), MOST_BLIND_TIME.total_seconds()
    return view.seen_at + timedelta(seconds=min(max(left_s, least_s), most_s))


def require_intake(view: ChainView, rules: LedgerRules, *, now: datetime | None = None) -> None:
    """Refuse new transfers, orders and admissions with `INTAKE_CLOSED` while they endanger money.

    That is while the operator says so (`intake`), while half of the eon is over without its
    checkpoint on chain, and while nobody looks at the chain since so long that a checkpoint may be
    late (`blind_until`).
    """
    clock = rules.clock
    if view.intake != "open":
        raise Refusal(INTAKE_CLOSED, f"the operator is {view.intake}")
    submitted = view.last_submitted_eon >= view.current_eon
    if not submitted and clock.sub_block(view.latest_block) > clock.blocks_per_eon // 2:
        raise Refusal(INTAKE_CLOSED, "this eon's checkpoint is late")
    if (now or datetime.now(UTC)) > blind_until(view, rules):
        raise Refusal(INTAKE_CLOSED, "the chain has not been seen for too long")


def keep_open(session: Session, eon: int) -> bool:
    """Keep `eon` from being closed until the transaction ends; False if it is closed already."""
    share_eon(cursor_of(session), eon)
    return not is_closed(session, eon)


def is_closed(session: Session, eon: int) -> bool:
    """Tell whether nothing of `eon` changes any more."""
    closed_at = session.scalar(select(Eon.closed_at).where(Eon.number == eon))
    return closed_at is not None


def cursor_of(session: Session) -> Any:
    """Open a psycopg2 cursor inside the session's transaction."""
    return session.connection().connection.cursor()
