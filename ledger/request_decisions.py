"""What a person decides about one withdrawal request: to have it paid after all, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.duty_notices import notice
from ledger.interventions import Person, record_intervention, require_same_act
from models import InterventionRecord, Token, WithdrawalRequest
from protocol.address import Address

RELEASE: Final = "release"
HOLD: Final = "hold"
DECISIONS: Final = (RELEASE, HOLD)
_WAKES: Final = "withdrawal-requested"
_ENDED: Final = ("paid", "slashed")


class CannotDecide(Exception):
    """The request is not in a state in which this can be decided; nothing has changed."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that is neither paid nor slashed; `amount` in base units."""

    number: int
    short_name: str
    holder: Address
    amount: int
    eon: int
    status: str


def list_requests(
    session: Session, *, limit: int, only_blocked: bool = False
) -> Sequence[OpenRequest]:
    """List open requests, the oldest first."""
    query = (
        select(WithdrawalRequest, Token.short_name)
        .join(Token, Token.id == WithdrawalRequest.token_id)
        .where(WithdrawalRequest.status.not_in(_ENDED))
        .order_by(WithdrawalRequest.id)
        .limit(limit)
    )
    if only_blocked:
        query = query.where(WithdrawalRequest.status == "blocked")
    return [
        OpenRequest(row.id, name, bytes(row.address), int(row.amount), row.eon, row.status)
        for row, name in session.execute(query)
    ]


def decide_request(session: Session, number: int, decision: str, person: Person) -> bool:
    """Let a blocked request be paid (`release`), or keep one that waits from it (`hold`).

    The desk is woken and asks the contract anew. The contract pays all requests of a holder at
    once, so one that is held keeps the holder's others waiting. False if this very act was done
    before. Raises `CannotDecide`, `UpdateIdTaken`.
    """
    before, after = ("blocked", "pending") if decision == RELEASE else ("pending", "blocked")
    subject = f"request {number}"
    if require_same_act(session, decision, subject, person):
        return False
    row = session.get(WithdrawalRequest, number, with_for_update=True)
    if row is None:
        raise CannotDecide(f"there is no request {number}")
    if row.status != before:
        raise CannotDecide(f"request {number} is {row.status}, not {before}")
    record_intervention(session, decision, subject, person)
    row.status = after
    token = session.get_one(Token, row.token_id)
    # A number of its own: the same request may be held and released again.
    acts = select(func.count()).where(InterventionRecord.subject == subject)
    count = session.scalar(acts)
    arguments = {
        "token": bytes(token.address).hex(),
        "address": bytes(row.address).hex(),
        "short_name": token.short_name,
    }
    notice(session, f"{decision}-{number}-{count}", _WAKES, arguments)
    return True
