"""Challenges as rows: noted from their events, and read by those who answer them.

A challenge is noted as soon as a block shows it, unconfirmed: its deadline runs from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ledger.blocks import ObservedEvent
from ledger.challenges.entries import DELIVERY, OPEN, STATE_UPDATE, SWAP, UNKNOWN, Parties
from ledger.duty_notices import notice_again
from ledger.refusals import LedgerInvariant
from models import Challenge, Token, TokenPair
from protocol.address import Address
from protocol.clock import EonClock

ISSUED: Final = "ChallengeIssued"
NOTICE: Final = "challenge-issued"
"""The kind of the notice that starts a challenge's duty."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A challenge in words for people.

    `about` is the token's short name, `SELL-BUY` of a pair, or the address that nobody knows.
    """

    id: int
    kind: str
    about: str
    recipient: Address
    sender: Address
    eon: int
    issue_block: int
    deadline_block: int
    status: str

    @property
    def is_known(self) -> bool:
        """Whether the ledger knows the token or the pair."""
        return not self.about.startswith("0x")

    @property
    def in_words(self) -> str:
        """What is disputed: `state update of LQD by 0x...`."""
        who = f"by 0x{self.sender.hex()}"
        if self.sender != self.recipient:
            who = f"from 0x{self.sender.hex()} to 0x{self.recipient.hex()}"
        return f"{self.kind.replace('_', ' ')} of {self.about} {who}"


def note_challenges(
    session: Session, clock: EonClock, events: Sequence[ObservedEvent]
) -> list[Dispute]:
    """Store the challenges among the events of new blocks, with a notice for each one's duty.

    One that a reorganisation took away and brought back is open again. Returns those that are new
    or back; the same block again changes nothing.
    """
    noted = []
    for event in events:
        row = _find_or_add(session, clock, event) if event.name == ISSUED else None
        if row is not None:
            noted.append(describe(session, row))
            notice_again(session, f"challenge-{row.id}", NOTICE, {"challenge": row.id})
    return noted


def get_challenge(session: Session, challenge_id: int, *, lock: bool = False) -> Challenge:
    """The row of a challenge, locked until the transaction ends if asked; raises without one."""
    row = session.get(Challenge, challenge_id, with_for_update=lock or None)
    if row is None:
        raise LedgerInvariant(f"there is no challenge {challenge_id}")
    return row


def open_challenges(session: Session, limit: int) -> list[Dispute]:
    """The challenges to which an answer is owed, the nearest deadline first."""
    rows = session.scalars(
        select(Challenge)
        .where(Challenge.status.in_(OPEN))
        .order_by(Challenge.deadline_block, Challenge.id)
        .limit(limit)
    )
    return [describe(session, row) for row in rows]


def describe(session: Session, row: Challenge) -> Dispute:
    """Say what a challenge is about."""
    return Dispute(
        id=row.id,
        kind=row.kind,
        about=_about(session, bytes(row.token_or_conduit)),
        recipient=bytes(row.recipient),
        sender=bytes(row.sender),
        eon=row.eon,
        issue_block=row.issue_block,
        deadline_block=row.deadline_block,
        status=row.status,
    )


def find_pair(session: Session, conduit: Address) -> tuple[Token, Token] | None:
    """The tokens sold and bought under a conduit, None for one that the ledger does not know."""
    sold, bought = aliased(Token), aliased(Token)
    row = session.execute(
        select(sold, bought)
        .select_from(TokenPair)
        .join(sold, sold.id == TokenPair.token_from_id)
        .join(bought, bought.id == TokenPair.token_to_id)
        .where(TokenPair.conduit == conduit)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _find_or_add(session: Session, clock: EonClock, event: ObservedEvent) -> Challenge | None:
    """The row of an event that is new or back, None for one that is known and canonical."""
    row = session.scalars(
        select(Challenge).where(
            Challenge.block_hash == event.block_hash, Challenge.log_index == event.log_index
        )
    ).one_or_none()
    if row is not None:
        if row.status != "orphaned":
            return None
        row.status = "open"
        return row
    token, recipient, sender = (
        bytes.fromhex(event.arguments[name]) for name in ("token", "recipient", "sender")
    )
    eon = clock.eon_of(event.block)
    row = Challenge(
        block_hash=event.block_hash,
        log_index=event.log_index,
        transaction_hash=event.transaction_hash,
        token_or_conduit=token,
        recipient=recipient,
        sender=sender,
        kind=_kind(session, (token, recipient, sender)),
        eon=eon,
        initial_state_eon=eon - 1,
        issue_block=event.block,
        deadline_block=clock.last_answer_block(event.block),
        status="open",
    )
    session.add(row)
    session.flush()
    return row


def _kind(session: Session, parties: Parties) -> str:
    """What a challenge is about, from its event alone; the contract's record has the last word."""
    token, recipient, sender = parties
    if recipient != sender:
        return DELIVERY
    if _short_name(session, token) is not None:
        return STATE_UPDATE
    return UNKNOWN if find_pair(session, token) is None else SWAP


def _about(session: Session, token_or_conduit: Address) -> str:
    name = _short_name(session, token_or_conduit)
    if name is not None:
        return name
    pair = find_pair(session, token_or_conduit)
    if pair is None:
        return f"0x{token_or_conduit.hex()}"
    return f"{pair[0].short_name}-{pair[1].short_name}"


def _short_name(session: Session, token: Address) -> str | None:
    return session.scalar(select(Token.short_name).where(Token.address == token))
