"""Challenges as blocks show them: noted at once, compared with the contract's book at the head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from activities.context import Context
from chain.state import ChallengeKind, ChallengeRecord
from duties import alarms, challenges, names
from ledger.alarms import clear_alarm, raise_alarm
from ledger.blocks import Block, ObservedEvent
from ledger.challenges.book import ISSUED, Dispute, describe, get_challenge, note_challenges
from ledger.challenges.entries import DELIVERY, STATE_UPDATE, SWAP, Entry, Parties, Survey
from ledger.challenges.settling import (
    compare_with_contract,
    count_open,
    open_parties,
    settle_challenges,
)
from ledger.rules import LedgerRules

KINDS: Final = {
    ChallengeKind.STATE_UPDATE: STATE_UPDATE,
    ChallengeKind.TRANSFER_DELIVERY: DELIVERY,
    ChallengeKind.SWAP_ENACTMENT: SWAP,
}

ABOUT_ALL: Final = "challenges"


class ChallengeWatch:
    """Keeps the challenge rows equal to the contract's book, beside whoever follows the chain."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def survey(self, events: Sequence[ObservedEvent], eon: int, *, live: int) -> Survey | None:
        """Read the book's entries of all that are open or new, in the state of one head.

        None while there are none and the contract counts none (`live`): then nothing is asked.
        """
        with self._context.sessions() as session:
            parties = open_parties(session)
        parties |= {_parties(event) for event in events if event.name == ISSUED}
        if not parties and not live:
            return None
        return read_book(self._context, sorted(parties), eon)

    def take(
        self,
        session: Session,
        rules: LedgerRules,
        events: Sequence[ObservedEvent],
        survey: Survey | None,
        newest: Block | None,
    ) -> None:
        """Note new challenges, compare all with the survey, settle what is confirmed.

        Call it once the blocks up to `newest` are stored and confirmed ones marked.
        """
        noted = note_challenges(session, rules.clock, events)
        if survey is None:
            clear_alarm(session, alarms.DISPUTE_COUNT, ABOUT_ALL)
        else:
            compare_with_contract(session, rules.edition, survey)
            if newest is not None and newest.block_hash == survey.block_hash:
                _compare_counts(session, survey)
        for dispute in noted:
            # Described anew: the contract's record may have told more than the event.
            _announce(session, describe(session, get_challenge(session, dispute.id)))
        for challenge_id in settle_challenges(session):
            dispute = describe(session, get_challenge(session, challenge_id))
            for subject in challenges.ALARMS:
                clear_alarm(session, subject, workflow_id(dispute))


def read_book(context: Context, parties: Sequence[Parties], eon: int) -> Survey:
    """The book's entries and its counts of this and the last eon, in the state of one head."""
    eons = [one for one in (eon - 1, eon) if one >= 1]
    head, records, counts = context.gateway.challenge_book(parties, eons)
    return Survey(
        block=head.number,
        block_hash=head.block_hash,
        entries={one: as_entry(record) for one, record in zip(parties, records, strict=True)},
        live=dict(zip(eons, counts, strict=True)),
    )


def as_entry(record: ChallengeRecord) -> Entry | None:
    """The ledger's form of an entry of the book, None if no challenge is open there."""
    if not record.is_open:
        return None
    return Entry(
        kind=KINDS[record.kind],
        block=record.block,
        initial_state_eon=record.initial_state_eon,
        initial_state_balance=record.initial_state_balance,
        delta_highest_spendings=record.delta_highest_spendings,
        delta_highest_gains=record.delta_highest_gains,
        final_state_balance=record.final_state_balance,
        delivered_tx_nonce=record.delivered_tx_nonce,
        trail=record.trail,
    )


def workflow_id(dispute: Dispute) -> str:
    """The id of the duty that answers a challenge; alarms are about it."""
    return names.challenge_id(dispute.id, dispute.sender.hex(), dispute.recipient.hex())


def _announce(session: Session, dispute: Dispute) -> None:
    about = workflow_id(dispute)
    message = f"{dispute.in_words}: answer by block {dispute.deadline_block}"
    raise_alarm(session, alarms.WARNING, alarms.DISPUTE, about, message)
    if not dispute.is_known:
        raise_alarm(session, alarms.CRITICAL, alarms.DISPUTE_UNKNOWN, about, message)


def _compare_counts(session: Session, survey: Survey) -> None:
    """Raise an alarm while the contract counts challenges that no event told of, or fewer."""
    faults = []
    for eon, counted in survey.live.items():
        ours = count_open(session, eon)
        if ours != counted:
            faults.append(f"eon {eon}: the contract counts {counted} open, we know {ours}")
    if faults:
        message = "; ".join(faults)
        raise_alarm(session, alarms.CRITICAL, alarms.DISPUTE_COUNT, ABOUT_ALL, message)
    else:
        clear_alarm(session, alarms.DISPUTE_COUNT, ABOUT_ALL)


def _parties(event: ObservedEvent) -> Parties:
    token, recipient, sender = (
        bytes.fromhex(event.arguments[name]) for name in ("token", "recipient", "sender")
    )
    return token, recipient, sender
