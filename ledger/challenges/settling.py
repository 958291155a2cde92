"""Challenges compared with the contract's book: cleared, hidden, taken away by a reorganisation.

The contract shows one entry for each pair of parties. Where it keeps challenges of senders apart
from those of recipients, the recipient's hides the sender's while both are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from ledger.challenges.entries import OPEN, Entry, Parties, Survey, entry_of, keep_record
from models import ChainEvent, Challenge
from protocol.editions import ContractEdition

ANSWERED: Final = "ChallengeAnswered"

# A block that is not part of the stored chain proves nothing any more.
_FORGET_LOST_PROOFS: Final = text("""
UPDATE challenge SET cleared_block = NULL, cleared_hash = NULL
WHERE status IN ('open', 'answering') AND cleared_block <= (
    SELECT max(block) FROM contract_state WHERE NOT orphaned
) AND NOT EXISTS (
    SELECT FROM contract_state AS seen
    WHERE seen.block_hash = challenge.cleared_hash AND NOT seen.orphaned
)
""")
_SETTLE: Final = text("""
UPDATE challenge SET status = 'answered' FROM contract_state AS seen
WHERE challenge.status IN ('open', 'answering')
  AND seen.block_hash = challenge.cleared_hash AND seen.confirmed
RETURNING challenge.id
""")


def open_parties(session: Session) -> set[Parties]:
    """Where the contract files the challenges to which an answer is owed."""
    rows = session.execute(
        select(Challenge.token_or_conduit, Challenge.recipient, Challenge.sender).where(
            Challenge.status.in_(OPEN)
        )
    )
    return {(bytes(token), bytes(recipient), bytes(sender)) for token, recipient, sender in rows}


def compare_with_contract(session: Session, edition: ContractEdition, survey: Survey) -> None:
    """Take over the records that a survey shows, and note in which block's state they were gone."""
    session.execute(_FORGET_LOST_PROOFS)
    session.expire_all()
    for parties, entry in survey.entries.items():
        rows = _open_rows(session, parties)
        shown = _owner(rows, entry)
        if shown is not None and entry is not None:
            keep_record(shown, entry)
        eon = None
        if entry is not None and edition.keeps_openers_apart and len(rows) > 1:
            eon = entry.initial_state_eon + 1
            if _open_entries(session, parties, eon) < 2:
                eon = None
        for row in rows:
            is_hidden = row.eon == eon and row.cleared_hash is None
            if row is shown:
                row.cleared_block, row.cleared_hash = None, None
            elif not is_hidden and row.cleared_hash is None and row.issue_block <= survey.block:
                row.cleared_block, row.cleared_hash = survey.block, survey.block_hash
    session.flush()


def owner_of(session: Session, parties: Parties, entry: Entry) -> int | None:
    """The open challenge that a shown entry belongs to; None if the ledger knows it not yet."""
    owner = _owner(_open_rows(session, parties), entry)
    return None if owner is None else owner.id


def settle_challenges(session: Session) -> list[int]:
    """Mark as answered what a confirmed block's state no longer holds; returns their ids."""
    return [row.id for row in session.execute(_SETTLE)]


def orphan_challenges(session: Session, ancestor: int) -> None:
    """Give up the challenges that were issued above a block, and proofs that were found there."""
    session.execute(
        update(Challenge)
        .where(Challenge.cleared_block > ancestor)
        .values(cleared_block=None, cleared_hash=None, status="open")
    )
    session.execute(
        update(Challenge).where(Challenge.issue_block > ancestor).values(status="orphaned")
    )


def count_open(session: Session, eon: int) -> int:
    """How many challenges opened in `eon` the ledger believes to be open on chain."""
    return (
        session.scalar(
            select(func.count()).where(
                Challenge.eon == eon,
                Challenge.status.in_((*OPEN, "lapsed")),
                Challenge.cleared_hash.is_(None),
            )
        )
        or 0
    )


def _open_rows(session: Session, parties: Parties) -> Sequence[Challenge]:
    token, recipient, sender = parties
    return session.scalars(
        select(Challenge)
        .where(
            Challenge.token_or_conduit == token,
            Challenge.recipient == recipient,
            Challenge.sender == sender,
            Challenge.status.in_(OPEN),
        )
        .order_by(Challenge.issue_block, Challenge.log_index)
    ).all()


def _owner(rows: Sequence[Challenge], entry: Entry | None) -> Challenge | None:
    """The challenge that a shown entry belongs to: by its record, else by its block."""
    candidates = [row for row in rows if entry is not None and row.issue_block == entry.block]
    for row in candidates:
        known = entry_of(row)
        if known is not None and entry is not None and _is_same(known, entry):
            return row
    return next((row for row in candidates if entry_of(row) is None), None)


def _is_same(known: Entry, entry: Entry) -> bool:
    return (known.delivered_tx_nonce, known.final_state_balance) == (
        entry.delivered_tx_nonce,
        entry.final_state_balance,
    )


def _open_entries(session: Session, parties: Parties, eon: int) -> int:
    """How many challenges of a pair are open, by the events of their eon: issued less answered."""
    token, recipient, sender = parties
    issued, first = session.execute(
        select(func.count(), func.min(Challenge.issue_block)).where(
            Challenge.token_or_conduit == token,
            Challenge.recipient == recipient,
            Challenge.sender == sender,
            Challenge.eon == eon,
            Challenge.status != "orphaned",
        )
    ).one()
    answered = session.scalar(
        select(func.count()).where(
            ChainEvent.block >= first,
            ~ChainEvent.orphaned,
            ChainEvent.name == ANSWERED,
            ChainEvent.arguments["token"].astext == token.hex(),
            ChainEvent.arguments["recipient"].astext == recipient.hex(),
            ChainEvent.arguments["sender"].astext == sender.hex(),
        )
    )
    return int(issued) - (answered or 0)
