"""The ledger's clock, whether it takes new entries, and what keeps an eon open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.eon_lock import share_eon
from ledger.refusals import Refusal
from models import ChainView, Eon
from protocol.clock import EonClock

INTAKE_CLOSED: Final = "INTAKE_CLOSED"
"""Not a code of the wire: the API answers 503 with `Retry-After`, and nothing has happened."""

VIEW_AGE_LIMIT: Final = timedelta(minutes=5)
"""A view that nobody renewed for so long: whoever watches the chain is gone, and deadlines with
them."""


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


def require_intake(view: ChainView, clock: EonClock, *, now: datetime | None = None) -> None:
    """Refuse new transfers, orders and admissions with `INTAKE_CLOSED` while they endanger money.

    That is while the operator says so (`intake`), while half of the eon is over without its
    checkpoint on chain, and while nobody has looked at the chain for `VIEW_AGE_LIMIT`.
    """
    if view.intake != "open":
        raise Refusal(INTAKE_CLOSED, f"the operator is {view.intake}")
    submitted = view.last_submitted_eon >= view.current_eon
    if not submitted and clock.sub_block(view.latest_block) > clock.blocks_per_eon // 2:
        raise Refusal(INTAKE_CLOSED, "this eon's checkpoint is late")
    if (now or datetime.now(UTC)) - view.seen_at > VIEW_AGE_LIMIT:
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
