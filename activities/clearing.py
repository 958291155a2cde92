"""Clearing the way: no transaction is mined before every lower nonce of its account.

A vital one pulls along what stands before it: stuck transactions get its own patience and
ceiling, forgotten ones are given to the node again, and a nonce that nobody of ours holds is used
up by a transfer to oneself. Of many vital ones that wait in a row each asks only for what none has
asked for at this head: together one question for each nonce and block.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Final

from temporalio import activity

from activities.context import Context
from activities.market import Market
from activities.signing import Signing, fee_of
from chain.errors import TransactionRefused
from chain.fees import CRITICAL_PATIENCE_BLOCKS, Window, is_replacement_due
from chain.node import Node
from chain.pool import pool_fee
from chain.transactions import SendOutcome, known_among, send_raw
from crash_points import TRANSACTION_SENT, crash_point
from ledger.transactions.attempts import (
    MOST_FORERUNNERS,
    Forerunner,
    attempts_of,
    forerunners,
    note_broadcast,
)
from ledger.transactions.intents import OPEN
from models import TransactionAttempt, TransactionIntent

UNDERPRICED_ROUNDS: Final = 3
TOO_CHEAP: Final = (SendOutcome.REPLACEMENT_UNDERPRICED, SendOutcome.FEE_TOO_LOW)


class Sightings:
    """What the node was seen to hold at one head; safe for several threads."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = Lock()
        self._at = b""
        self._seen: set[bytes] = set()

    def waiting(self, before: Sequence[Forerunner], market: Market) -> frozenset[bytes]:
        """The hashes of those among `before` that the node has.

        Who was seen at this head is not asked for again: what the pool loses meanwhile is noticed
        one block later.
        """
        sent = {bytes(one.attempt.hash) for one in before if one.attempt.last_broadcast is not None}
        head = market.head.block_hash
        with self._lock:
            if self._at != head:
                self._at, self._seen = head, set()
            seen = sent & self._seen
        # Not under the lock: nobody waits for a node that is silent to somebody else.
        found = known_among(self._node, sorted(sent - seen))
        with self._lock:
            if self._at == head:
                self._seen |= found
        return found | seen


class Clearing:
    """Sends stored bytes, and sees to what stands before them."""

    def __init__(self, context: Context, signing: Signing) -> None:
        self._context = context
        self._node = context.gateway.node
        self._signing = signing
        self._sightings = Sightings(context.gateway.node)

    def clear(
        self,
        intent: TransactionIntent,
        market: Market,
        vital: Window | None,
        ceiling_gwei: int | None = None,
    ) -> None:
        """See to every unmined nonce before the intent's.

        `vital`: the window of a transaction without which the chain halts; without it only what
        the node has forgotten is given to it again. `ceiling_gwei`: by a person, for all of them.
        """
        if intent.nonce is None:
            return
        first = market.pool_count if vital is None else market.mined_count
        if first >= intent.nonce:
            return
        with self._context.sessions() as session:
            before = forerunners(session, bytes(intent.account), first, intent.nonce)
        held = {one.attempt.nonce: one for one in before}
        waiting = frozenset() if vital is None else self._sightings.waiting(before, market)
        last = min(intent.nonce, first + MOST_FORERUNNERS)
        for nonce in range(first, last):
            forerunner = held.get(nonce)
            if forerunner is None:
                if vital is not None and self._is_in_the_way(intent, nonce, market):
                    self._fill(intent, nonce, market, vital)
            elif vital is None:
                self.send(forerunner.attempt)
            else:
                is_waiting = bytes(forerunner.attempt.hash) in waiting
                self._pull(forerunner, market, vital, ceiling_gwei, is_waiting=is_waiting)

    def send(self, attempt: TransactionAttempt) -> SendOutcome:
        """Hand an attempt's bytes to the node."""
        try:
            outcome = send_raw(self._node, bytes(attempt.raw))
        except TransactionRefused as refusal:
            activity.logger.warning("the node refused a transaction: %s", refusal.reason)
            return SendOutcome.POOL_FULL
        crash_point(TRANSACTION_SENT)
        with self._context.sessions.begin() as session:
            note_broadcast(session, bytes(attempt.hash))
        return outcome

    def send_newest(
        self,
        intent: TransactionIntent,
        market: Market,
        *,
        window: Window | None = None,
        ceiling_gwei: int | None = None,
        cancels: bool = False,
    ) -> SendOutcome:
        """Send an intent's newest attempt; outbid what the pool holds, a few times at most."""
        for _ in range(UNDERPRICED_ROUNDS):
            newest = self._newest(intent.id)
            outcome = self.send(newest)
            if outcome not in TOO_CHEAP or not self._signing.replace(
                intent.id,
                market,
                window=window,
                ceiling_gwei=ceiling_gwei,
                cancels=cancels,
                floor=pool_fee(self._node, bytes(intent.account), newest.nonce),
            ):
                return outcome
        return self.send(self._newest(intent.id))

    def _pull(
        self,
        forerunner: Forerunner,
        market: Market,
        vital: Window,
        ceiling_gwei: int | None,
        *,
        is_waiting: bool,
    ) -> None:
        newest = forerunner.attempt
        due = forerunner.state in OPEN and is_replacement_due(
            fee_of(newest),
            blocks_waited=market.head.number - newest.signed_at_block,
            base_fee=market.fees.base_fee,
            is_critical=True,
            policy=self._context.fees,
        )
        if due:
            self._signing.replace(
                forerunner.intent_id, market, window=vital, ceiling_gwei=ceiling_gwei
            )
        if due or not is_waiting:
            with self._context.sessions() as session:
                intent = session.get_one(TransactionIntent, forerunner.intent_id)
            self.send_newest(intent, market, window=vital, ceiling_gwei=ceiling_gwei)

    def _is_in_the_way(self, intent: TransactionIntent, nonce: int, market: Market) -> bool:
        """Whether a nonce of nobody's keeps ours from being mined: a gap, or a stranger's that
        waits in the pool no longer than ours is patient."""
        if nonce >= market.pool_count:
            return True
        began = intent.first_broadcast_block or market.head.number
        return market.head.number - began >= CRITICAL_PATIENCE_BLOCKS

    def _fill(self, intent: TransactionIntent, nonce: int, market: Market, vital: Window) -> None:
        intent_id = self._signing.fill(bytes(intent.account), nonce, market, vital)
        with self._context.sessions() as session:
            repair = session.get_one(TransactionIntent, intent_id)
        self.send_newest(repair, market, window=vital)

    def _newest(self, intent_id: int) -> TransactionAttempt:
        with self._context.sessions() as session:
            return attempts_of(session, intent_id)[-1]
