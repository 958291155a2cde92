"""The contract itself, its roots and its accumulators."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.challenge_watch import ABOUT_ALL as ABOUT_CHALLENGES
from activities.context import Context
from activities.sanity.findings import ABOUT_ALL, Finding, Findings
from activities.sanity.moment import compare
from chain.blocks import BlockHeader
from chain.parameters import read_parameters
from chain.state import SubmissionFacts
from duties import alarms, names
from ledger.chain_accumulator import accumulator_of
from ledger.challenges.settling import count_open
from ledger.parameters import find_parameters
from ledger.refusals import LedgerInvariant
from models import RootCommitment

FIXED = (
    "chain_id",
    "operator",
    "edition",
    "code_hash",
    "genesis_block",
    "blocks_per_eon",
    "eons_kept",
    "deposits_kept",
    "challenge_cost",
)


def check_parameters(context: Context, findings: Findings) -> None:
    """What deployment fixed is what is stored, asked anew and not remembered."""
    asked = read_parameters(context.gateway)
    with context.sessions() as session:
        stored = find_parameters(session)
    differing = [
        field.name
        for field in fields(asked)
        if field.name in FIXED and getattr(asked, field.name) != getattr(stored, field.name, None)
    ]
    message = f"other than stored: {', '.join(differing)}"
    found = [Finding(alarms.CONTRACT_CHANGED, ABOUT_ALL, message)] if differing else []
    findings.judge(alarms.CONTRACT_CHANGED, found)


def check_submissions(context: Context, findings: Findings) -> None:
    """Accumulators, the last root and the counts of open challenges, all of one block."""

    def read() -> tuple[BlockHeader, SubmissionFacts]:
        facts = context.gateway.submission_facts()
        return facts.head, facts

    def judge(session: Session, facts: SubmissionFacts) -> list[Finding]:
        return [
            *_accumulators(context, session, facts),
            *_root(session, facts),
            *_challenges(session, facts),
        ]

    found = compare(context, read, judge)
    if found is None:
        findings.unchecked.append("accumulators, roots and challenges")
        return
    # The follower raises and ends alarms of these subjects too: only what is found is added.
    findings.found += found


def _accumulators(context: Context, session: Session, facts: SubmissionFacts) -> list[Finding]:
    clock = context.rules(session).clock
    found = []
    for eon, value in ((facts.eon, facts.accumulator), (facts.eon - 1, facts.basis)):
        try:
            ours = accumulator_of(session, clock, eon)
        except LedgerInvariant:
            # The ledger began to follow the contract after that eon.
            continue
        if ours != value:
            message = f"eon {eon}: events give {ours.hex()}, it has {value.hex()}"
            found.append(Finding(alarms.ACCUMULATOR, "chain", message))
    return found


def _root(session: Session, facts: SubmissionFacts) -> list[Finding]:
    eon = facts.last_submission_eon
    if eon == 0:
        return []
    own = session.scalar(select(RootCommitment.merkle_root).where(RootCommitment.eon == eon))
    if own is not None and bytes(own) == facts.last_root:
        return []
    ours = "none" if own is None else bytes(own).hex()
    message = f"the contract has {facts.last_root.hex()}, the ledger {ours}"
    return [Finding(alarms.CHECKPOINT_FOREIGN, names.eon_id(eon), message)]


def _challenges(session: Session, facts: SubmissionFacts) -> list[Finding]:
    counts = {facts.eon: facts.own_live_challenges, facts.eon - 1: facts.live_challenges}
    faults = [
        f"eon {eon}: the contract counts {live} open, we know {count_open(session, eon)}"
        for eon, live in counts.items()
        if eon > 0 and live != count_open(session, eon)
    ]
    return [Finding(alarms.DISPUTE_COUNT, ABOUT_CHALLENGES, "; ".join(faults))] if faults else []
