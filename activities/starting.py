"""Duties as Temporal starts them: id, type, argument, the words that people read.

Starting is deduplicated by id: a duty that runs is found, never started twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.challenge_watch import workflow_id
from duties import names, queues
from duties.calendar import Calendar
from duties.challenges import ChallengeStart
from duties.eons import EonStart
from duties.slashes import SlashOrder, SlashStart
from duties.transactions import LEAST_PRIORITY, PRIORITIES, TransactionStart
from duties.withdrawals import Desk, DeskStart
from ledger.challenges.book import Dispute
from models import TransactionIntent

WAKE: Final = "wake"


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty: its id, its type, the argument that it starts with, and what it is in words."""

    id: str
    workflow: str
    argument: Any
    summary: str


async def start_once(client: Client, duty: Duty) -> None:
    """Start a duty unless it runs or has come to its end."""
    try:
        await _start(client, duty, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
    except WorkflowAlreadyStartedError:
        return


async def start_again(client: Client, duty: Duty) -> None:
    """Start a duty unless it runs, however it ended before."""
    await _start(client, duty, WorkflowIDReusePolicy.ALLOW_DUPLICATE)


async def wake(client: Client, duty: Duty) -> None:
    """Start a duty if it does not run, and let it look again in any case."""
    await client.start_workflow(
        duty.workflow,
        duty.argument,
        id=duty.id,
        task_queue=queues.DUTY,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        start_signal=WAKE,
        static_summary=duty.summary,
    )


async def _start(client: Client, duty: Duty, reuse: WorkflowIDReusePolicy) -> None:
    await client.start_workflow(
        duty.workflow,
        duty.argument,
        id=duty.id,
        task_queue=queues.DUTY,
        id_reuse_policy=reuse,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=duty.summary,
    )


def eon_duty(eon: int, calendar: Calendar) -> Duty:
    """The duty of an eon's checkpoint."""
    argument = EonStart(eon, calendar)
    return Duty(names.eon_id(eon), names.EON_WORKFLOW, argument, f"Checkpoint of eon {eon}")


def desk_duty(desk: Desk, calendar: Calendar) -> Duty:
    """The duty of a wallet's withdrawals."""
    return Duty(
        names.withdrawal_desk_id(desk.short_name, desk.address),
        names.WITHDRAWAL_DESK_WORKFLOW,
        DeskStart(desk, calendar),
        f"Withdrawals of {desk.short_name} by 0x{desk.address}",
    )


def challenge_duty(dispute: Dispute, calendar: Calendar) -> Duty:
    """The duty of a challenge's answer."""
    start = ChallengeStart(
        number=dispute.id,
        kind=dispute.kind,
        about=dispute.about,
        sender=dispute.sender.hex(),
        recipient=dispute.recipient.hex(),
        eon=dispute.eon,
        issue_block=dispute.issue_block,
        deadline_block=dispute.deadline_block,
        calendar=calendar,
    )
    summary = f"Answer the challenge: {dispute.in_words}"
    return Duty(workflow_id(dispute), names.CHALLENGE_WORKFLOW, start, summary)


def slash_duty(order: SlashOrder, calendar: Calendar) -> Duty:
    """The duty of a decision to have requests cancelled."""
    name, holder = order.short_name, order.address
    return Duty(
        names.slash_id(name, holder, order.eon, order.number),
        names.SLASH_WORKFLOW,
        SlashStart(order, calendar),
        f"Cancel requests of {name} by 0x{holder} above its balance",
    )


def transaction_duty(intent: TransactionIntent, calendar: Calendar, title: str = "") -> Duty:
    """The duty of one on-chain transaction; `title` says to people what it is for."""
    start = TransactionStart(
        intent_id=intent.id,
        key=intent.key,
        title=title or f"Carry out {intent.key}",
        calendar=calendar,
        priority=PRIORITIES.get(intent.duty, LEAST_PRIORITY),
        deadline_block=intent.deadline_block,
    )
    return transaction_duty_of(start)


def transaction_duty_of(start: TransactionStart) -> Duty:
    """As `transaction_duty`, of an argument that is made already."""
    return Duty(names.transaction_id(start.key), names.TRANSACTION_WORKFLOW, start, start.title)
