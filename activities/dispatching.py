"""Passing the ledger's facts on to the duties: start what must run, wake what waits.

A notice is delivered at least once. Starting is deduplicated by id, and a duty that is woken
twice reads the ledger twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from temporalio.client import Client

from activities.context import Context
from activities.covering import open_cover
from activities.delegating import open_delegation
from activities.starting import (
    challenge_duty,
    desk_duty,
    eon_duty,
    slash_duty,
    start_again,
    start_once,
    transaction_duty,
    transaction_duty_of,
    wake,
)
from crash_points import DUTY_STARTED, crash_point
from duties import alarms, notices
from duties.calendar import Calendar
from duties.slashes import SlashOrder
from duties.withdrawals import Desk
from ledger.alarms import raise_alarm
from ledger.challenges.book import Dispute, describe, get_challenge
from ledger.duty_notices import PendingNotice, mark_delivered, undelivered
from ledger.transactions.intents import get_intent
from models import TransactionIntent

BATCH: Final = 100


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
                crash_point(DUTY_STARTED)
                await asyncio.to_thread(self._mark, delivered)
        return len(delivered)

    async def _deliver_one(self, pending: PendingNotice) -> None:
        calendar = await asyncio.to_thread(self._calendar)
        if pending.kind == notices.EON_BEGAN:
            await start_once(self._client, eon_duty(int(pending.arguments["eon"]), calendar))
        elif pending.kind == notices.CHALLENGE_ISSUED:
            await self._start_challenge(int(pending.arguments["challenge"]), calendar)
        elif pending.kind == notices.EON_REOPENED:
            await start_again(self._client, eon_duty(int(pending.arguments["eon"]), calendar))
        elif pending.kind == notices.TRANSACTION_OPENED:
            await self._carry_out(pending.arguments, calendar)
        elif pending.kind in notices.DESK_KINDS:
            await self._wake_desk(pending.arguments, calendar)
        elif pending.kind == notices.SLASH_DECIDED:
            order = SlashOrder(**pending.arguments)
            await start_once(self._client, slash_duty(order, calendar))
        elif pending.kind == notices.DELEGATION_ACCEPTED:
            await self._request_for_wallet(int(pending.arguments["delegation"]))
        elif pending.kind == notices.COVER_ORDERED:
            await self._cover(int(pending.arguments["cover"]))
        else:
            # Waiting for it would hold up every duty after it: a person has to look.
            await asyncio.to_thread(self._alarm, pending)

    async def _wake_desk(self, arguments: Mapping[str, Any], calendar: Calendar) -> None:
        desk = Desk(arguments["token"], arguments["short_name"], arguments["address"])
        await wake(self._client, desk_duty(desk, calendar))

    async def _start_challenge(self, number: int, calendar: Calendar) -> None:
        """One that a reorganisation brought back may have ended: it starts once more."""
        dispute = await asyncio.to_thread(self._dispute, number)
        await start_again(self._client, challenge_duty(dispute, calendar))

    async def _carry_out(self, arguments: Mapping[str, Any], calendar: Calendar) -> None:
        """Follow an intent that no running duty waits for; it may have been final before."""
        intent = await asyncio.to_thread(self._intent, int(arguments["intent_id"]))
        await start_again(self._client, transaction_duty(intent, calendar, str(arguments["title"])))

    async def _request_for_wallet(self, delegation: int) -> None:
        """The transaction is the whole duty: the contract's event tells the ledger the rest."""
        start = await asyncio.to_thread(open_delegation, self._context, delegation)
        await start_once(self._client, transaction_duty_of(start))

    async def _cover(self, number: int) -> None:
        """The transaction is the whole duty: the bound is read anew by whoever waits for it."""
        start = await asyncio.to_thread(open_cover, self._context, number)
        await start_once(self._client, transaction_duty_of(start))

    def _intent(self, number: int) -> TransactionIntent:
        with self._context.sessions() as session:
            return get_intent(session, number)

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
