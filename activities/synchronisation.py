"""Turns of following the chain, as activities."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.client import Client

from activities.context import Context
from activities.dispatching import Dispatcher
from activities.following import Follower, Look
from activities.running import beating
from chain.errors import BrokenContinuity, ChainError, DeepReorganisation, HeadMoved, WrongChain
from duties import alarms, interventions, names, tasks
from duties.calendar import View
from duties.synchronisation import FollowChain, Followed, Resync
from ledger.alarms import clear_alarm, raise_alarm
from ledger.blocks import orphan_above
from ledger.clock import read_view
from ledger.interventions import Person, record_intervention
from logs import get_logger
from protocol.clock import EonClock

log = get_logger(__name__)
_ABOUT = "node"


class Synchronisation:
    """Carries out `follow_chain`, `resynchronise` and `read_view`."""

    def __init__(self, context: Context, client: Client) -> None:
        self._context = context
        self._dispatcher = Dispatcher(context, client)

    @activity.defn(name=tasks.FOLLOW_CHAIN.name)
    async def follow_chain(self, order: FollowChain) -> Followed:
        """Follow the head for a turn; a silent node is waited for, with an alarm.

        Ends early when a reorganisation went below what is confirmed: then `stopped` says so, and
        nothing is credited until a person decides.
        """
        follower = Follower(self._context)
        reorganisations, newest = 0, Look(0, 0, reorganised=False, behind=False)
        trouble = False
        for _ in range(order.turns):
            try:
                newest = await beating(follower.look)
                reorganisations += newest.reorganised
                if trouble:
                    trouble = False
                    await asyncio.to_thread(self._clear, alarms.NODE_UNREACHABLE)
            except DeepReorganisation as error:
                await asyncio.to_thread(self._alarm, alarms.DEEP_REORGANISATION, str(error))
                return self._followed(order, newest, reorganisations, stopped=str(error))
            except (BrokenContinuity, HeadMoved):
                await asyncio.sleep(0)
                continue
            except WrongChain:
                raise
            except ChainError as error:
                trouble = True
                log.warning("the node cannot be followed", error=str(error))
                await asyncio.to_thread(self._alarm, alarms.NODE_UNREACHABLE, str(error))
            activity.heartbeat(newest.head, newest.confirmed)
            await self._dispatcher.deliver()
            if activity.is_worker_shutdown():
                break
            if trouble or not newest.behind:
                await asyncio.sleep(order.calendar.poll_s)
        return self._followed(order, newest, reorganisations)

    @activity.defn(name=tasks.RESYNCHRONISE.name)
    def resynchronise(self, order: Resync) -> int:
        """Give up the stored chain above a block, as a person decided; returns the events lost.

        Raises `AppliedEventsOrphaned`, changing nothing, if money has moved from one of them.
        """
        with self._context.sessions.begin() as session:
            person = Person(order.actor, order.reason, order.update_id or None)
            record_intervention(
                session,
                interventions.RESYNC_FROM,
                names.CHAIN_SYNC_ID,
                person,
                value=str(order.block),
            )
            lost = orphan_above(session, order.block)
            clear_alarm(session, alarms.DEEP_REORGANISATION, _ABOUT)
        return lost

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

    def _followed(
        self, order: FollowChain, look: Look, reorganisations: int, *, stopped: str = ""
    ) -> Followed:
        clock = EonClock(order.calendar.genesis_block, order.calendar.blocks_per_eon)
        seen = max(look.head, clock.genesis_block)
        return Followed(
            head_block=look.head,
            confirmed_block=look.confirmed,
            eon=clock.eon_of(seen),
            sub_block=clock.sub_block(seen),
            reorganisations=reorganisations,
            stopped=stopped,
        )

    def _alarm(self, subject: str, message: str) -> None:
        with self._context.sessions.begin() as session:
            raise_alarm(session, alarms.CRITICAL, subject, _ABOUT, message)

    def _clear(self, subject: str) -> None:
        with self._context.sessions.begin() as session:
            clear_alarm(session, subject, _ABOUT)
