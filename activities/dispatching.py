"""Passing the ledger's facts on to the duties: start what must run, wake what waits.

A notice is delivered at least once. Starting is deduplicated by id, and a duty that is woken
twice reads the ledger twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.challenge_watch import workflow_id
from activities.context import Context
from activities.delegating import open_delegation
from duties import alarms, names, notices, queues
from duties.calendar import Calendar
from duties.challenges import ChallengeStart
from duties.eons import EonStart
from duties.slashes import SlashOrder, SlashStart
from duties.transactions import LEAST_PRIORITY, PRIORITIES, TransactionStart
from duties.withdrawals import Desk, DeskStart
from ledger.alarms import raise_alarm
from ledger.challenges.book import Dispute, describe, get_challenge
from ledger.duty_notices import PendingNotice, mark_delivered, undelivered
from ledger.transactions.intents import get_intent

BATCH: Final = 100
_ONCE: Final = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
_AGAIN: Final = WorkflowIDReusePolicy.ALLOW_DUPLICATE
WAKE: Final = "wake"


class Dispatcher:
    """Delivers duty notices in their order."""

    def __init__(self, context: Context, client: Client) -> None:
        self._context = context
        self._client = client

    async def deliver(self) -> int:
        """Deliver the oldest undelivered notices; returns how many there were.

        One that cannot be delivered stays, with all that follow it, for the next call.
        """
        waiting = await asyncio.to_thread(self._waiting)
        delivered: list[int] = []
        try:
            for pending in waiting:
                await self._deliver_one(pending)
                delivered.append(pending.id)
        finally:
            if delivered:
                await asyncio.to_thread(self._mark, delivered)
        return len(delivered)

    async def _deliver_one(self, pending: PendingNotice) -> None:
        calendar = await asyncio.to_thread(self._calendar)
        if pending.kind == notices.EON_BEGAN:
            await self._start_eon(int(pending.arguments["eon"]), calendar)
        elif pending.kind == notices.CHALLENGE_ISSUED:
            await self._start_challenge(int(pending.arguments["challenge"]), calendar)
        elif pending.kind == notices.EON_REOPENED:
            await self._start_eon(int(pending.arguments["eon"]), calendar, again=True)
        elif pending.kind == notices.TRANSACTION_OPENED:
            await self._carry_out(pending.arguments, calendar)
        elif pending.kind in notices.DESK_KINDS:
            await self._wake_desk(pending.arguments, calendar)
        elif pending.kind == notices.SLASH_DECIDED:
            await self._start_slash(SlashOrder(**pending.arguments), calendar)
        elif pending.kind == notices.DELEGATION_ACCEPTED:
            await self._request_for_wallet(int(pending.arguments["delegation"]))
        else:
            # Waiting for it would hold up every duty after it: a person has to look.
            await asyncio.to_thread(self._alarm, pending)

    async def _start_eon(self, eon: int, calendar: Calendar, *, again: bool = False) -> None:
        try:
            await self._client.start_workflow(
                names.EON_WORKFLOW,
                EonStart(eon, calendar),
                id=names.eon_id(eon),
                task_queue=queues.DUTY,
                id_reuse_policy=_AGAIN if again else _ONCE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"Checkpoint of eon {eon}",
            )
        except WorkflowAlreadyStartedError:
            return

    async def _start_challenge(self, number: int, calendar: Calendar) -> None:
        await self._start_duty_of(await asyncio.to_thread(self._dispute, number), calendar)

    async def _start_duty_of(self, dispute: Dispute, calendar: Calendar) -> None:
        """A challenge that a reorganisation brought back may have ended: it starts once more."""
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
        await self._client.start_workflow(
            names.CHALLENGE_WORKFLOW,
            start,
            id=workflow_id(dispute),
            task_queue=queues.DUTY,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"Answer the challenge: {dispute.in_words}",
        )

    async def _carry_out(self, arguments: Mapping[str, Any], calendar: Calendar) -> None:
        """Follow an intent that no running duty waits for; it may have been final before."""
        start = await asyncio.to_thread(self._transaction_start, arguments, calendar)
        await self._client.start_workflow(
            names.TRANSACTION_WORKFLOW,
            start,
            id=names.transaction_id(start.key),
            task_queue=queues.DUTY,
            id_reuse_policy=_AGAIN,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=start.title,
        )

    def _transaction_start(
        self, arguments: Mapping[str, Any], calendar: Calendar
    ) -> TransactionStart:
        with self._context.sessions() as session:
            intent = get_intent(session, int(arguments["intent_id"]))
        return TransactionStart(
            intent_id=intent.id,
            key=intent.key,
            title=str(arguments["title"]),
            calendar=calendar,
            priority=PRIORITIES.get(intent.duty, LEAST_PRIORITY),
            deadline_block=intent.deadline_block,
        )

    async def _wake_desk(self, arguments: Mapping[str, Any], calendar: Calendar) -> None:
        token, address = arguments["token"], arguments["address"]
        short_name = arguments["short_name"]
        await self._client.start_workflow(
            names.WITHDRAWAL_DESK_WORKFLOW,
            DeskStart(Desk(token, short_name, address), calendar),
            id=names.withdrawal_desk_id(short_name, address),
            task_queue=queues.DUTY,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal=WAKE,
            static_summary=f"Withdrawals of {short_name} by 0x{address}",
        )

    async def _start_slash(self, order: SlashOrder, calendar: Calendar) -> None:
        name, holder = order.short_name, order.address
        try:
            await self._client.start_workflow(
                names.SLASH_WORKFLOW,
                SlashStart(order, calendar),
                id=names.slash_id(name, holder, order.eon, order.number),
                task_queue=queues.DUTY,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"Cancel requests of {name} by 0x{holder} above its balance",
            )
        except WorkflowAlreadyStartedError:
            return

    async def _request_for_wallet(self, delegation: int) -> None:
        """The transaction is the whole duty: the contract's event tells the ledger the rest."""
        start = await asyncio.to_thread(open_delegation, self._context, delegation)
        try:
            await self._client.start_workflow(
                names.TRANSACTION_WORKFLOW,
                start,
                id=names.transaction_id(start.key),
                task_queue=queues.DUTY,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=start.title,
            )
        except WorkflowAlreadyStartedError:
            return

    def _waiting(self) -> list[PendingNotice]:
        with self._context.sessions() as session:
            return undelivered(session, BATCH, urgent=notices.URGENT)

    def _dispute(self, number: int) -> Dispute:
        with self._context.sessions() as session:
            return describe(session, get_challenge(session, number))

    def _alarm(self, pending: PendingNotice) -> None:
        with self._context.sessions.begin() as session:
            raise_alarm(
                session,
                alarms.CRITICAL,
                alarms.UNKNOWN_NOTICE,
                pending.key,
                f"{pending.kind}: {dict(pending.arguments)}",
            )

    def _mark(self, ids: list[int]) -> None:
        with self._context.sessions.begin() as session:
            mark_delivered(session, ids)

    def _calendar(self) -> Calendar:
        with self._context.sessions() as session:
            return self._context.calendar(session)
