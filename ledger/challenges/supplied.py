"""Answers that people supply: stored first, tried by the challenge's duty."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from ledger.challenges.entries import OPEN
from ledger.interventions import Person
from ledger.refusals import Refusal
from models import Challenge, SuppliedAnswer

NOT_OPEN: Final = "CHALLENGE_NOT_OPEN"


def find_open(session: Session, challenge_id: int) -> Challenge:
    """The challenge, if an answer is owed to it; refuses with `CHALLENGE_NOT_OPEN`."""
    row = session.get(Challenge, challenge_id)
    if row is None:
        raise Refusal(NOT_OPEN, f"there is no challenge {challenge_id}")
    if row.status not in OPEN:
        raise Refusal(NOT_OPEN, f"challenge {challenge_id} is {row.status}")
    return row


def store_supplied_answer(
    session: Session, challenge_id: int, calldata: bytes, person: Person
) -> int:
    """Keep call data that answer a challenge; returns the row's id, which the duty is told.

    Refuses with `CHALLENGE_NOT_OPEN`. That the call data call an answer is checked by whoever
    knows the contract, and again before they are tried.
    """
    find_open(session, challenge_id)
    row = SuppliedAnswer(
        challenge_id=challenge_id, calldata=calldata, actor=person.actor, reason=person.reason
    )
    session.add(row)
    session.flush()
    return row.id


def supplied_calldata(session: Session, challenge_id: int, supplied_id: int) -> bytes | None:
    """The call data that a person supplied to this challenge, None if that was another's."""
    row = session.get(SuppliedAnswer, supplied_id)
    if row is None or row.challenge_id != challenge_id:
        return None
    return bytes(row.calldata)
