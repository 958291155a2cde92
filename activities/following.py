"""Following the parent chain, one look at a time: blocks, reorganisations, confirmed money."""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from activities.branches import Branches
from activities.challenge_watch import ChallengeWatch
from activities.context import Context
from activities.refreshing import refresh_pending
from activities.silent_slashes import with_silent_slashes
from chain.blocks import BlockHeader
from chain.errors import Branch, NodeBehind
from chain.events import ChainEvent, UnknownLog
from chain.headers import has_left, read_range, require_continuity
from chain.node import MAX_BATCH
from chain.state import SubmissionFacts
from duties import alarms, notices
from ledger.alarms import clear_alarm, raise_alarm
from ledger.blocks import (
    Block,
    ObservedEvent,
    confirm_blocks,
    is_stored,
    newest_block,
    store_blocks,
)
from ledger.chain_accumulator import accumulator_of
from ledger.chain_events import apply_confirmed_events
from ledger.confirmed.desks import notify_payable_desks
from ledger.duty_notices import notice
from ledger.slashing import decide_slashes
from ledger.split import Split, read_split
from ledger.view import ChainFacts, move_view
from protocol.clock import EonClock

_PLACE = frozenset(("block_number", "block_hash", "tx_hash", "log_index"))
_ABOUT = "chain"
BEHIND_BLOCKS: Final = 10
"""A node that is behind for so many block times is reported."""
IDLE_LOOK_S: Final = 5.0
"""At a head that was read completely nothing can be new; only that somebody looks is noted."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found. `behind`: more blocks are waiting to be read.

    `split` is empty, or says where the chain has parted from what was confirmed.
    """

    head: int
    confirmed: int
    reorganised: bool
    behind: bool
    split: str = ""


class Follower:
    """Keeps the stored chain equal to the node's. Blocking; used by one turn at a time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._node = context.gateway.node
        self._contract = context.gateway.contract
        self._challenges = ChallengeWatch(context)
        self._branches = Branches(context)
        self._behind_since: float | None = None
        self._was_stale: bool | None = None
        self._complete: tuple[Look, bytes, float] | None = None

    def look(self) -> Look:
        """Store the next batch of blocks, or the head's news if there are none.

        A head that was read completely a moment ago costs one question, that for the head.

        A node whose head is an older block of ours is behind, which is no news; after a while
        `NodeBehind` is raised. Raises `DeepReorganisation` when nothing stored is in its chain,
        and whatever the node raises.
        """
        clock = self._context.gateway.clock()
        tip, head = self._branches.tip(), self._node.head()
        reorganised = False
        if tip is not None and head.block_hash != tip.block_hash:
            if head.number < clock.genesis_block or self._is_ours(head):
                return self._wait_for(head, tip)
            reorganised = head.number <= tip.number or has_left(self._node, tip)
        self._behind_since = None
        if tip is not None and tip.block_hash == head.block_hash:
            known = self._known(head)
            if known is not None:
                return known
        if reorganised:
            tip, head = self._branches.give_up(clock), self._node.head()
        first = clock.genesis_block if tip is None else tip.number + 1
        if first > head.number:
            look = self._take(clock, [], [], head, reorganised)
        else:
            look = self._read_on(clock, tip, first, head, reorganised)
            if not look.split:
                self._decide_slashes()
                refresh_pending(self._context)
        self._complete = None if look.behind else (look, head.block_hash, time.monotonic())
        return look

    def _known(self, head: BlockHeader) -> Look | None:
        """What the last look found, if it read this very head to its end and was just now."""
        if self._complete is None:
            return None
        look, block_hash, at = self._complete
        is_new = block_hash != head.block_hash or time.monotonic() - at >= IDLE_LOOK_S
        is_new |= bool(self._staleness(head)) != self._was_stale
        return None if is_new else replace(look, reorganised=False)

    def _read_on(
        self,
        clock: EonClock,
        tip: Branch | None,
        first: int,
        head: BlockHeader,
        reorganised: bool,
    ) -> Look:
        last = min(head.number, first + min(self._context.pace.batch_blocks, MAX_BATCH) - 1)
        reading = read_range(self._node, self._contract, first, last)
        require_continuity(reading.headers, tip)
        events = with_silent_slashes(self._context, reading.headers, reading.events)
        return self._take(clock, reading.headers, events, head, reorganised)

    def _decide_slashes(self) -> None:
        """Judge requests when blocks have come, for they may have confirmed some, ended an eon or
        made a root final. What is not decided now, because we end here, is decided next time."""
        with self._context.sessions.begin() as session:
            decide_slashes(session, self._context.rules(session))

    def split(self) -> str:
        """Empty, or where the chain has parted from what was confirmed."""
        with self._context.sessions() as session:
            return _told(read_split(session))

    def _is_ours(self, header: BlockHeader) -> bool:
        with self._context.sessions() as session:
            return is_stored(session, header.block_hash)

    def _wait_for(self, head: BlockHeader, tip: Branch) -> Look:
        """Behind a balancer one node may lag: nothing has left the chain."""
        now = time.monotonic()
        if self._behind_since is None:
            self._behind_since = now
        if now - self._behind_since > BEHIND_BLOCKS * self._context.pace.block_time_s:
            raise NodeBehind(
                f"{self._node.label} is at block {head.number}, {tip.number} has been seen"
            )
        return Look(tip.number, 0, reorganised=False, behind=False, split=self.split())

    def _staleness(self, head: BlockHeader) -> str:
        """What is wrong with a node whose head is too old; empty while it is not."""
        oldest_s = self._context.pace.oldest_head_s
        if time.time() - head.timestamp_s <= oldest_s:
            return ""
        try:
            self._node.require_progress(now_s=time.time(), max_age_s=oldest_s)
        except NodeBehind as error:
            return str(error)
        return ""

    def _tell_staleness(self, session: Session, stale: str) -> None:
        """Call a person while the node stands still; an alarm of an earlier run may be open."""
        if stale:
            raise_alarm(session, alarms.CRITICAL, alarms.NODE_BEHIND, _ABOUT, stale)
        elif self._was_stale is not False:
            clear_alarm(session, alarms.NODE_BEHIND, _ABOUT)
        self._was_stale = bool(stale)

    def _take(
        self,
        clock: EonClock,
        headers: tuple[BlockHeader, ...] | list[BlockHeader],
        events: tuple[ChainEvent, ...] | list[ChainEvent],
        head: BlockHeader,
        reorganised: bool,
    ) -> Look:
        """Store, confirm, apply and move the view in one database transaction."""
        stale = self._staleness(head)
        facts = self._context.gateway.submission_facts()
        observed = [_observed(event) for event in events]
        live = facts.live_challenges + facts.own_live_challenges
        # The book changes with blocks only.
        survey = self._challenges.survey(observed, facts.eon, live=live) if headers else None
        stored_up_to = headers[-1].number if headers else head.number
        confirmed = min(stored_up_to, head.number - self._context.policy.confirmations)
        with self._context.sessions.begin() as session:
            rules = self._context.rules(session)
            store_blocks(session, clock, [_block(header) for header in headers], observed)
            for event in events:
                if isinstance(event, UnknownLog):
                    where = f"block {event.block_number}"
                    message = f"a log with the unknown topic {event.topic.hex()}"
                    raise_alarm(session, alarms.WARNING, alarms.UNKNOWN_EVENT, where, message)
            split = self._branches.heal(session)
            if split is not None:
                confirmed = min(confirmed, split.block)
            elif confirmed >= clock.genesis_block:
                confirm_blocks(session, confirmed)
                while apply_confirmed_events(session, rules, confirmed).more:
                    pass
            if headers:
                self._challenges.take(session, rules, observed, survey, newest_block(session))
                _announce_halt(session, facts)
                notify_payable_desks(session, clock, headers[0].number, stored_up_to)
            seen = _facts(facts, stored_up_to, max(confirmed, 0), is_split=split is not None)
            move_view(session, clock, seen, is_fresh=not stale)
            self._tell_staleness(session, stale)
            eon = clock.eon_of(stored_up_to)
            if eon == clock.eon_of(head.number):
                notice(session, f"eon-began-{eon}", notices.EON_BEGAN, {"eon": eon})
            if stored_up_to == facts.head.number:
                self._compare_accumulator(session, clock, facts)
        return Look(
            head.number,
            max(confirmed, 0),
            reorganised,
            behind=stored_up_to < head.number,
            split=_told(split),
        )

    def _compare_accumulator(self, session: Any, clock: EonClock, facts: SubmissionFacts) -> None:
        """Raise an alarm while the contract did something that no event told of."""
        stored = newest_block(session)
        if stored is None or stored.block_hash != facts.head.block_hash:
            return
        ours = accumulator_of(session, clock, facts.eon)
        if ours == facts.accumulator:
            clear_alarm(session, alarms.ACCUMULATOR, _ABOUT)
            return
        message = f"eon {facts.eon}: events give {ours.hex()}, it has {facts.accumulator.hex()}"
        raise_alarm(session, alarms.CRITICAL, alarms.ACCUMULATOR, _ABOUT, message)


def _announce_halt(session: Session, facts: SubmissionFacts) -> None:
    """Call people in the block in which the contract halts; before that a block may still help."""
    if not facts.is_halted:
        clear_alarm(session, alarms.HALTED, _ABOUT)
        return
    cause = (
        f"{facts.live_challenges} challenges of eon {facts.eon - 1} were not answered in time"
        if facts.has_outstanding_challenges
        else f"an eon after {facts.last_submission_eon} ended without its root"
    )
    message = f"block {facts.head.number} finds the contract halted for good: {cause}"
    raise_alarm(session, alarms.CRITICAL, alarms.HALTED, _ABOUT, message)


def _told(split: Split | None) -> str:
    return "" if split is None else f"the branches part after block {split.block}"


def _facts(facts: SubmissionFacts, head: int, confirmed: int, *, is_split: bool) -> ChainFacts:
    return ChainFacts(
        head_block=head,
        confirmed_block=confirmed,
        last_submitted_eon=facts.last_submission_eon,
        last_submitted_root=facts.last_root,
        missed_submission=facts.has_missed_submission,
        halted=facts.is_halted,
        live_challenges=facts.own_live_challenges,
        is_split=is_split,
    )


def _block(header: BlockHeader) -> Block:
    return Block(header.number, header.block_hash, header.parent_hash, header.timestamp_s)


def _observed(event: ChainEvent) -> ObservedEvent:
    members = {
        field.name: _as_json(getattr(event, field.name))
        for field in fields(event)
        if field.name not in _PLACE
    }
    return ObservedEvent(
        block=event.block_number,
        block_hash=event.block_hash,
        log_index=event.log_index,
        transaction_hash=event.tx_hash,
        name=type(event).__name__,
        arguments=members,
    )


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int):
        return str(value)
    return [_as_json(item) for item in value]
