"""The outbox of the wire: an event is a row of the transaction that made it true.

API processes learn of new rows by PostgreSQL's NOTIFY, once a transaction, and fan them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import event as hooks
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from models import Notification

CHANNEL: Final = "notification"
_PENDING: Final = "pending_notification_ids"


@dataclass(frozen=True, slots=True)
class Fact:
    """One event for `streams`, told in this order: a `payload`, or the transfer it is about."""

    event: str
    streams: tuple[str, ...]
    payload: Any | None = None
    transfer_id: int | None = None


def wallet_stream(token_text: str, wallet_text: str) -> str:
    """Name a wallet's stream; both texts are the stored 40 digits, in their letter case."""
    return f"wallet/{token_text}/{wallet_text}"


def token_pair_stream(debit_text: str, credit_text: str) -> str:
    """Name the stream of a direction of trade."""
    return f"tokenpair/{debit_text}/{credit_text}"


def tell(
    session: Session,
    event: str,
    streams: Sequence[str],
    *,
    payload: Any | None = None,
    transfer_id: int | None = None,
) -> int:
    """Record one event and return its id; it leaves when the transaction commits."""
    return tell_all(session, [Fact(event, tuple(streams), payload, transfer_id)])[0]


def tell_all(session: Session, facts: Sequence[Fact]) -> list[int]:
    """Record events in this order and return their ids, which ascend."""
    if not facts:
        return []
    statement = insert(Notification).returning(Notification.id, sort_by_parameter_order=True)
    rows = [
        {
            "event": fact.event,
            "streams": list(fact.streams),
            "payload": fact.payload,
            "transfer_id": fact.transfer_id,
        }
        for fact in facts
    ]
    ids = list(session.scalars(statement, rows))
    session.info.setdefault(_PENDING, []).extend((min(ids), max(ids)))
    return ids


@hooks.listens_for(Session, "before_commit")
def _announce(session: Session) -> None:
    if session.in_nested_transaction():
        return
    ids = session.info.pop(_PENDING, None)
    if ids:
        session.execute(
            text("SELECT pg_notify(:channel, :range)"),
            {"channel": CHANNEL, "range": f"{min(ids)}-{max(ids)}"},
        )


@hooks.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _previous: Any) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_PENDING, None)
