"""Answering challenges: every answer simulated at the head, the first that passes sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio import activity

from activities.answer_calls import call_for
from activities.challenge_watch import as_entry
from activities.context import Context
from chain.answers import NotAnAnswer, answer_from_calldata
from chain.calls import Call
from chain.state import ChallengeRecord
from duties import names, tasks
from duties.challenges import ChallengeView, Standing, Trial, Tried, TryAnswers
from ledger.challenges.answers import variants_of
from ledger.challenges.book import get_challenge
from ledger.challenges.entries import OPEN, Entry, entry_of, parties_of
from ledger.challenges.settling import owner_of
from ledger.challenges.supplied import supplied_calldata
from ledger.clock import read_view
from ledger.rules import LedgerRules
from ledger.transactions.intents import NewIntent, open_intent
from models import Challenge, TransactionIntent
from protocol.address import Address
from protocol.editions import ContractEdition

DUTY: Final = "answer"
SUPPLIED: Final = "the answer that a person supplied"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that may be simulated, or why there is none."""

    variant: str
    call: Call | None
    objection: str = ""


class Answering:
    """Carries out `try_answers` and `read_challenge`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.READ_CHALLENGE.name)
    def read_challenge(self, number: int) -> ChallengeView:
        """Where a challenge stands in the ledger."""
        with self._context.sessions() as session:
            row = get_challenge(session, number)
            return ChallengeView(row.status, row.cleared_block)

    @activity.defn(name=tasks.TRY_ANSWERS.name)
    def try_answers(self, order: TryAnswers) -> Trial:
        """Find an answer that the contract would take now, and open the intent that sends it.

        What the ledger objects to is simulated all the same: the contract is the judge. A revert
        is a result. The same revision again finds the intent that it opened.
        """
        with self._context.sessions() as session:
            row = get_challenge(session, order.number)
            view = read_view(session)
            opened = self._opened(session, order, row, view.latest_block)
        if opened is not None:
            return opened
        head, record, root = self._read(row)
        trial = Trial(Standing.WAIT, row.status, head)
        entry = as_entry(record)
        if row.status not in OPEN:
            return self._ended(row, trial, view.confirmed_block)
        if entry is None:
            return replace(trial, standing=Standing.CLEARED)
        if head >= row.deadline_block:
            return self._lapse(row, trial, view.confirmed_block)
        if root is None:
            eon = row.initial_state_eon + 1
            return replace(trial, reason=f"the checkpoint of eon {eon} is not on chain yet")
        if self._belongs_to_another(row, entry):
            return self._try_behind(order, row, trial)
        return self._simulate_all(order, row, entry, trial)

    def _try_behind(self, order: TryAnswers, row: Challenge, trial: Trial) -> Trial:
        """Another challenge of the pair is shown; an answer finds ours if we know its record."""
        hidden = replace(trial, reason="behind another open challenge of the same two wallets")
        if row.cleared_hash is not None:
            return replace(trial, standing=Standing.CLEARED)
        known = entry_of(row)
        if known is None:
            return hidden
        found = self._simulate_all(order, row, known, trial)
        # It may be gone already: only once it is shown, or none is, can that be told.
        is_found = found.standing == Standing.READY
        return found if is_found else replace(hidden, tried=found.tried)

    def _opened(
        self, session: Session, order: TryAnswers, row: Challenge, latest_block: int
    ) -> Trial | None:
        """The intent of this revision, if a trial that was cut off has opened it."""
        key = names.answer_key(order.number, order.revision)
        intent = session.scalars(
            select(TransactionIntent).where(TransactionIntent.key == key)
        ).one_or_none()
        if intent is None:
            return None
        return Trial(
            Standing.READY,
            row.status,
            head_block=latest_block,
            key=intent.key,
            intent_id=intent.id,
            deadline_block=intent.deadline_block,
        )

    def _read(self, row: Challenge) -> tuple[int, ChallengeRecord, bytes | None]:
        """The head's height, the contract's record, and the root that answers prove against."""
        gateway = self._context.gateway
        head, (record,), _ = gateway.challenge_book([parties_of(row)], [])
        checkpoint = gateway.checkpoint(row.initial_state_eon + 1)
        root = None if checkpoint is None or not any(checkpoint.root) else checkpoint.root
        return head.number, record, root

    def _belongs_to_another(self, row: Challenge, entry: Entry) -> bool:
        with self._context.sessions() as session:
            owner = owner_of(session, parties_of(row), entry)
        return entry.block != row.issue_block or owner not in (None, row.id)

    def _ended(self, row: Challenge, trial: Trial, confirmed_block: int) -> Trial:
        if row.status == "orphaned" and confirmed_block < row.issue_block:
            # The block may come back as long as no other of its height is confirmed.
            return replace(trial, reason="the block that opened it has left the chain")
        return replace(trial, standing=Standing.ENDED)

    def _lapse(self, row: Challenge, trial: Trial, confirmed_block: int) -> Trial:
        """Past its deadline; final once the deadline block is confirmed without an answer."""
        reason = f"no block after {row.deadline_block} can answer it"
        if confirmed_block < row.deadline_block:
            return replace(trial, standing=Standing.LATE, reason=reason)
        with self._context.sessions.begin() as session:
            locked = get_challenge(session, row.id, lock=True)
            if locked.status in OPEN:
                locked.status = "lapsed"
            status = locked.status
        return replace(trial, standing=Standing.ENDED, status=status, reason=reason)

    def _simulate_all(self, order: TryAnswers, row: Challenge, entry: Entry, trial: Trial) -> Trial:
        tried = []
        with self._context.sessions() as session:
            rules = self._context.rules(session)
            candidates = self._candidates(session, rules, order, row, entry)
        for candidate in candidates:
            attempt = self._simulate(candidate, rules.edition)
            tried.append(attempt)
            if candidate.call is not None and not attempt.reason:
                return self._open(order, row, candidate.call, trial, tuple(tried))
        with self._context.sessions.begin() as session:
            locked = get_challenge(session, row.id, lock=True)
            if locked.status == "answering":
                locked.status = "open"
        return replace(
            trial,
            standing=Standing.UNANSWERABLE,
            reason="; ".join(f"{one.variant}: {one.reason}" for one in tried),
            tried=tuple(tried),
        )

    def _candidates(
        self,
        session: Session,
        rules: LedgerRules,
        order: TryAnswers,
        row: Challenge,
        entry: Entry,
    ) -> list[Candidate]:
        contract = rules.contract
        found = []
        if order.supplied is not None:
            found.append(_supplied(session, contract, order.number, order.supplied))
        for variant in variants_of(session, rules, row, entry):
            call = None
            if variant.evidence is not None:
                call = call_for(contract, variant.evidence, sender=bytes(row.sender))
            found.append(Candidate(variant.name, call, variant.objection))
        # What the ledger itself believes in goes first.
        return sorted(found, key=lambda one: bool(one.objection))

    def _simulate(self, candidate: Candidate, edition: ContractEdition) -> Tried:
        if candidate.call is None:
            return Tried(candidate.variant, reason=candidate.objection)
        revert = self._context.gateway.simulate(
            candidate.call, self._context.operator.address
        ).revert
        if revert is None:
            return Tried(candidate.variant, objection=candidate.objection)
        reason = revert.meaning
        if revert.reason == "B" and edition is ContractEdition.PUBLISHED:
            reason += " (this contract counts our own deposits and requests, not the issuer's)"
        return Tried(candidate.variant, revert.reason, reason, candidate.objection)

    def _open(
        self, order: TryAnswers, row: Challenge, call: Call, trial: Trial, tried: tuple[Tried, ...]
    ) -> Trial:
        with self._context.sessions.begin() as session:
            locked = get_challenge(session, row.id, lock=True)
            if locked.status not in OPEN:
                return replace(trial, status=locked.status, reason="it has just ended")
            locked.status = "answering"
            intent = open_intent(
                session,
                NewIntent(
                    key=names.answer_key(order.number, order.revision),
                    duty=DUTY,
                    account=self._context.operator.address,
                    callee=call.to,
                    calldata=call.data,
                    earliest_block=row.issue_block,
                    deadline_block=row.deadline_block,
                ),
            )
        return replace(
            trial,
            standing=Standing.READY,
            status="answering",
            key=intent.key,
            intent_id=intent.id,
            deadline_block=intent.deadline_block,
            tried=tried,
        )


def _supplied(session: Session, contract: Address, number: int, supplied: int) -> Candidate:
    """What a person supplied, if it is an answer and meant for this challenge."""
    data = supplied_calldata(session, number, supplied)
    if data is None:
        return Candidate(SUPPLIED, None, f"no answer {supplied} was stored for this challenge")
    try:
        return Candidate(SUPPLIED, answer_from_calldata(contract, data))
    except NotAnAnswer as error:
        return Candidate(SUPPLIED, None, str(error))
