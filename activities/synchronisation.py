"""Turns of following the chain, as activities."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.client import Client

from activities.branches import ABOUT
from activities.context import Context
from activities.dispatching import Dispatcher
from activities.following import Follower, Look
from activities.running import beating
from chain.errors import BrokenContinuity, ChainError, HeadMoved, NodeBusy
from duties import alarms, interventions, names, tasks
from duties.calendar import View
from duties.synchronisation import FollowChain, Followed, Resync
from ledger.alarms import clear_alarm, raise_alarm
from ledger.clock import read_view
from ledger.interventions import Person, record_intervention
from ledger.reversal import Decision, resynchronise
from logs import get_logger
from protocol.clock import EonClock

log = get_logger(__name__)
REPORTED_TROUBLES: Final = 3
"""So many looks in a row must fail before people hear of it: nodes stumble every day."""
KEPT_MESSAGE: Final = (
    "a person decided to keep it: it counts in a closed eon, and the contract never saw it"
)


class Synchronisation:
    """Carries out `follow_chain`, `resynchronise` and `read_view`."""

    def __init__(self, context: Context, client: Client) -> None:
        self._context = context
        self._dispatcher = Dispatcher(context, client)

    @activity.defn(name=tasks.FOLLOW_CHAIN.name)
    async def follow_chain(self, order: FollowChain) -> Followed:
        """Follow the head for a turn; a silent node is waited for, with an alarm.

        Ends early when the chain parts from what was confirmed, or is one again: `split` says so.
        """
        follower = Follower(self._context)
        split = await asyncio.to_thread(follower.split)
        newest = Look(0, 0, reorganised=False, behind=False, split=split)
        reorganisations, troubles, is_reachable = 0, 0, False
        for _ in range(order.turns):
            try:
                newest = await beating(follower.look)
                reorganisations += newest.reorganised
                troubles = 0
                if not is_reachable:
                    # An alarm of an earlier turn may still be open.
                    is_reachable = True
                    await asyncio.to_thread(self._clear, alarms.NODE_UNREACHABLE)
            except (BrokenContinuity, HeadMoved):
                await asyncio.sleep(0)
                continue
            except ChainError as error:
                # A node that shares no block with us, or speaks for another chain, is no node.
                troubles += 1
                log.warning("the node cannot be followed", error=str(error))
                if troubles >= REPORTED_TROUBLES:
                    is_reachable = False
                    await asyncio.to_thread(self._alarm, alarms.NODE_UNREACHABLE, str(error))
                await asyncio.sleep(_asked_patience_s(error))
            activity.heartbeat(newest.head, newest.confirmed)
            await self._dispatcher.deliver()
            if activity.is_worker_shutdown() or newest.split != split:
                break
            if troubles or not newest.behind:
                await asyncio.sleep(order.calendar.poll_s)
        return self._followed(order, newest, reorganisations)

    @activity.defn(name=tasks.RESYNCHRONISE.name)
    def resynchronise(self, order: Resync) -> int:
        """Let the node's branch count, as a person decided; returns how many events were undone.

        Raises `CannotReverse`, changing nothing, where that would make the ledger wrong.
        """
        with self._context.sessions.begin() as session:
            if not self._record(session, order):
                return 0
            rules = self._context.rules(session)
            decision = Decision(order.block, keeps_committed=order.keeps_committed)
            result = resynchronise(session, rules, decision)
            clear_alarm(session, alarms.DEEP_REORGANISATION, ABOUT)
            for kept in result.kept:
                raise_alarm(session, alarms.CRITICAL, alarms.KEPT_ORPHANED, kept, KEPT_MESSAGE)
        return result.undone

    def _record(self, session: Session, order: Resync) -> bool:
        """Write the act down; False if it has been carried out already."""
        keeps = order.keeps_committed
        return record_intervention(
            session,
            interventions.KEEP_COMMITTED if keeps else interventions.RESYNC_FROM,
            names.CHAIN_SYNC_ID,
            Person(order.actor, order.reason, order.update_id or None),
            value=str(order.block),
        )

    @activity.defn(name=tasks.READ_VIEW.name)
    def read_view(self) -> View:
        """The ledger's view of the chain."""
        with self._context.sessions() as session:
            view = read_view(session)
        root = view.last_submitted_root
        return View(
            latest_block=view.latest_block,
            confirmed_block=view.confirmed_block,
            last_submitted_eon=view.last_submitted_eon,
            last_submitted_root="" if root is None else root.hex(),
            missed_submission=view.missed_submission,
            live_challenges=view.live_challenges,
            intake=view.intake,
        )

    def _followed(self, order: FollowChain, look: Look, reorganisations: int) -> Followed:
        clock = EonClock(order.calendar.genesis_block, order.calendar.blocks_per_eon)
        seen = max(look.head, clock.genesis_block)
        return Followed(
            head_block=look.head,
            confirmed_block=look.confirmed,
            eon=clock.eon_of(seen),
            sub_block=clock.sub_block(seen),
            reorganisations=reorganisations,
            split=look.split,
        )

    def _alarm(self, subject: str, message: str) -> None:
        with self._context.sessions.begin() as session:
            raise_alarm(session, alarms.CRITICAL, subject, ABOUT, message)

    def _clear(self, subject: str) -> None:
        with self._context.sessions.begin() as session:
            clear_alarm(session, subject, ABOUT)


def _asked_patience_s(error: ChainError) -> float:
    """How long the node asks to be left alone, in seconds."""
    return (error.retry_after_s or 0.0) if isinstance(error, NodeBusy) else 0.0
