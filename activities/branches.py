"""Leaving a branch that the node's chain no longer has, however deep it reaches."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from activities.context import Context
from chain.errors import Branch, DeepReorganisation, WrongChain
from chain.headers import find_common_ancestor, has_left, newest_shared
from chain.node import MAX_BATCH
from duties import alarms, notices
from ledger.alarms import clear_alarm, raise_alarm
from ledger.blocks import Block, blocks_below, newest_block, orphan_above, unconfirmed_chain
from ledger.duty_notices import notice
from ledger.split import Split, close_split, is_healed, open_split, read_split
from ledger.transactions.reviving import revive_orphaned
from protocol.clock import EonClock

ABOUT: Final = "node"
MOST_BATCHES_DOWN: Final = 200
"""Deeper than this many batches of blocks nobody looks for what two chains share."""


class Branches:
    """Compares the stored chain with the node's, and gives up what only we have."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._node = context.gateway.node

    def tip(self) -> Branch | None:
        """The newest stored block."""
        with self._context.sessions() as session:
            newest = newest_block(session)
        return None if newest is None else _branch(newest)

    def give_up(self, clock: EonClock) -> Branch | None:
        """Orphan what the node's chain no longer has; returns the common ancestor.

        Below what was confirmed the branches have parted: money and checkpoints then wait for a
        person. Raises `DeepReorganisation` when nothing at all is shared, `WrongChain` when the
        node speaks for another chain.
        """
        self._require_chain()
        with self._context.sessions() as session:
            stored, confirmed = unconfirmed_chain(session)
        branches = [_branch(block) for block in stored]
        if confirmed is None:
            # Nothing is confirmed: the stored chain may be given up as a whole.
            ancestor = next((one for one in branches if not has_left(self._node, one)), None)
        else:
            try:
                ancestor = find_common_ancestor(self._node, branches, newest_confirmed=confirmed)
            except DeepReorganisation as deep:
                return self._part(clock, deep)
        lowest = branches[-1].number - 1 if branches else clock.genesis_block - 1
        with self._context.sessions.begin() as session:
            split = read_split(session, lock=True)
            kept = lowest if ancestor is None else ancestor.number
            orphan_above(session, kept, is_split=split is not None)
        return ancestor

    def heal(self, session: Session) -> Split | None:
        """The split that stands, which ends here if the old branch is the node's chain again."""
        split = read_split(session, lock=True)
        if split is None or not is_healed(session, split):
            return split
        close_split(session)
        clear_alarm(session, alarms.DEEP_REORGANISATION, ABOUT)
        return None

    def _part(self, clock: EonClock, deep: DeepReorganisation) -> Branch:
        """Follow the node's branch with the head view only; both are named to a person."""
        ancestor = self._search_down(deep)
        with self._context.sessions.begin() as session:
            newest, _ = unconfirmed_chain(session)
            open_split(session, ancestor.number, deep.ours.block_hash)
            orphan_above(session, ancestor.number, is_split=True)
            revived = revive_orphaned(session, ancestor.number)
            eon = clock.eon_of(newest[0].number if newest else ancestor.number)
            arguments = {"eon": eon}
            key = f"eon-reopened-{eon}-{deep.ours.block_hash.hex()[:16]}"
            notice(session, key, notices.EON_REOPENED, arguments)
            message = (
                f"{deep}; the branches part after block {ancestor.number}; "
                f"{len(revived)} transactions are sent again"
            )
            raise_alarm(session, alarms.CRITICAL, alarms.DEEP_REORGANISATION, ABOUT, message)
        return ancestor

    def _search_down(self, deep: DeepReorganisation) -> Branch:
        height = deep.ours.number
        for _ in range(MOST_BATCHES_DOWN):
            with self._context.sessions() as session:
                stored = [_branch(one) for one in blocks_below(session, height, MAX_BATCH)]
            if not stored:
                break
            shared = newest_shared(self._node, stored)
            if shared is not None:
                return shared
            height = stored[-1].number
        raise deep

    def _require_chain(self) -> None:
        found, expected = self._node.require_chain(), self._context.gateway.parameters().chain_id
        if found != expected:
            raise WrongChain(f"{self._node.label} follows chain {found}, ours is {expected}")


def _branch(block: Block) -> Branch:
    return Branch(block.number, block.block_hash)
