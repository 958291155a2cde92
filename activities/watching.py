"""Following what was sent: mined, deep enough, vanished, reverted, or taken by another's nonce."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from temporalio import activity

from activities.context import Context
from activities.describing import call_of, describe, ended
from activities.running import PULSE_S, beating
from chain.blocks import BlockHeader
from chain.errors import CallReverted, ChainError
from chain.fees import CRITICAL_PATIENCE_BLOCKS
from chain.gas import estimate_gas
from chain.transactions import Receipt, find_mined, is_mined
from duties import alarms, tasks
from duties.transactions import Ending, Progress, Stage, Watch
from ledger.alarms import clear_alarm, raise_alarm
from ledger.transactions.attempts import CANCELS, attempts_of
from ledger.transactions.intents import OPEN, change_state, get_intent, is_vital
from ledger.transactions.spending import forget_cost, note_cost
from models import TransactionAttempt, TransactionIntent
from protocol.address import Address

MOST_LOOKS: Final = 600
LONGEST_WATCH_S: Final = 600.0
LOOKS_AT_ONCE: Final = 8
"""Watchers that may hold a thread."""

USURPED_AFTER_BLOCKS: Final = 2
"""For so long a used nonce without a receipt may be a node that lags behind another."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look showed at height `head`; `is_nonce_used`: by none of ours, it seems.

    `is_doubtful`: the node contradicts itself, so that looking again at the same head may help.
    """

    progress: Progress
    head: int
    is_nonce_used: bool = False
    is_doubtful: bool = False


class Watcher:
    """Carries out `watch`, `read_intent` and `expire_intent`.

    Hundreds may watch at once: they share one question for the head, look again only once it has
    moved, and never take all threads from those who find and send what is urgent.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._node = context.gateway.node
        self._room = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._asking = asyncio.Lock()
        self._head: tuple[float, BlockHeader | None] = (-math.inf, None)
        self._counts: dict[tuple[bytes, Address], int] = {}

    @activity.defn(name=tasks.WATCH.name)
    async def watch(self, order: Watch) -> Progress:
        """Look at the receipts of every attempt until the intent ends or patience does.

        `quiet`: unmined for so many blocks that it should be sent again, or dearer. `mined`: it
        is on the way to its depth and another watch should follow.
        """
        started_at: int | None = None
        suspected_at: int | None = None
        loop = asyncio.get_running_loop()
        until = loop.time() + LONGEST_WATCH_S
        patience = await asyncio.to_thread(self._patience, order.intent_id)
        seen: BlockHeader | None = None
        sight: Sight | None = None
        told_at = -math.inf
        for _ in range(MOST_LOOKS):
            newest = await self._newest_block()
            is_news = seen is None or newest.block_hash != seen.block_hash
            if sight is None or sight.is_doubtful or is_news:
                async with self._room:
                    sight = await beating(partial(self._look, order.intent_id, newest))
                seen = newest
            progress, head = sight.progress, sight.head
            if is_news or loop.time() - told_at >= PULSE_S:
                activity.heartbeat(progress.stage, head)
                told_at = loop.time()
            started_at = head if started_at is None else started_at
            if not sight.is_nonce_used:
                suspected_at = None
            elif suspected_at is None:
                suspected_at = head
            elif head - suspected_at >= USURPED_AFTER_BLOCKS:
                return await asyncio.to_thread(self._usurped, order.intent_id)
            if progress.stage in (Stage.ENDED, Stage.QUIET):
                return progress
            waited = head - started_at
            is_waiting = progress.stage != Stage.MINED and suspected_at is None
            if is_waiting and waited >= patience:
                return replace(progress, stage=Stage.QUIET)
            if activity.is_worker_shutdown() or loop.time() > until:
                return progress
            await asyncio.sleep(self._context.pace.poll_s)
        return progress

    async def _newest_block(self) -> BlockHeader:
        """The head, asked for once in a poll by all who watch."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            asked_at, newest = self._head
            if newest is None or loop.time() - asked_at >= self._context.pace.poll_s:
                newest = await beating(self._node.head)
                self._head = (loop.time(), newest)
            return newest

    @activity.defn(name=tasks.READ_INTENT.name)
    def read_intent(self, intent_id: int) -> Progress:
        """Where an intent stands, from the database alone."""
        with self._context.sessions() as session:
            intent = get_intent(session, intent_id)
            attempts = attempts_of(session, intent_id)
            if intent.state not in OPEN:
                return ended(intent, attempts)
            return describe(Stage.WAITING if not attempts else Stage.SENT, intent, attempts)

    @activity.defn(name=tasks.EXPIRE_INTENT.name)
    def expire_intent(self, intent_id: int) -> Progress:
        """End an intent whose deadline has passed before a nonce was spent on it."""
        with self._context.sessions.begin() as session:
            intent = get_intent(session, intent_id, lock=True)
            attempts = attempts_of(session, intent_id)
            if intent.state in OPEN and not attempts:
                result = {"ending": Ending.EXPIRED.value, "reason": "the deadline has passed"}
                change_state(session, intent_id, "expired", result)
                session.refresh(intent)
            if intent.state not in OPEN:
                return ended(intent, attempts)
            return describe(Stage.SENT, intent, attempts)

    def _patience(self, intent_id: int) -> int:
        with self._context.sessions() as session:
            vital = is_vital(get_intent(session, intent_id))
        return CRITICAL_PATIENCE_BLOCKS if vital else self._context.fees.bump_after_blocks

    def _usurped(self, intent_id: int) -> Progress:
        """Somebody else used our nonce: other software has the key too."""
        with self._context.sessions.begin() as session:
            intent = get_intent(session, intent_id, lock=True)
            attempts = attempts_of(session, intent_id)
            if intent.state not in OPEN:
                return ended(intent, attempts)
            reason = f"nonce {intent.nonce} was used by somebody else"
            result = {"ending": Ending.USURPED.value, "reason": reason}
            change_state(session, intent_id, "usurped", result)
            raise_alarm(session, alarms.WARNING, alarms.NONCE_USURPED, intent.key, reason)
            session.refresh(intent)
            return ended(intent, attempts)

    def _mined_count(self, at: BlockHeader, account: Address) -> int:
        """The account's next nonce, asked for once at each head by all who watch."""
        known = self._counts.get((at.block_hash, account))
        if known is None:
            known = self._node.transaction_count(account)
            self._counts = {(at.block_hash, account): known}
        return known

    def _look(self, intent_id: int, at: BlockHeader | None = None) -> Sight:
        """One look at the chain, whose head is `at` if that is known already.

        An intent is asked for by its receipts only once its nonce is used, or was.
        """
        with self._context.sessions() as session:
            intent = get_intent(session, intent_id)
            attempts = list(attempts_of(session, intent_id))
        at = at or self._node.head()
        head = at.number
        if intent.state not in OPEN:
            return Sight(ended(intent, attempts), head)
        hashes = [bytes(attempt.hash) for attempt in reversed(attempts)]
        # The count comes first: a transaction mined in between then shows in its receipt.
        count = self._mined_count(at, bytes(intent.account))
        is_waiting = intent.state != "mined" and intent.nonce is not None and count <= intent.nonce
        receipt = None if is_waiting else find_mined(self._node, hashes)
        if receipt is not None:
            return Sight(self._mined(intent, attempts, receipt, head), head)
        if intent.nonce is not None and count > intent.nonce:
            # Behind a balancer the receipt may be on another node than the count.
            is_used = not any(is_mined(self._node, tx_hash) for tx_hash in hashes)
            progress = describe(Stage.SENT, intent, attempts, reason="its nonce is used")
            return Sight(progress, head, is_nonce_used=is_used, is_doubtful=True)
        if intent.state == "mined":
            with self._context.sessions.begin() as session:
                change_state(session, intent.id, "broadcast")
                forget_cost(session, intent.id)
            lost = "its block left the chain"
            return Sight(describe(Stage.QUIET, intent, attempts, reason=lost), head)
        return Sight(describe(Stage.SENT, intent, attempts), head)

    def _mined(
        self,
        intent: TransactionIntent,
        attempts: list[TransactionAttempt],
        receipt: Receipt,
        head: int,
    ) -> Progress:
        mined = next(one for one in attempts if bytes(one.hash) == receipt.tx_hash)
        facts = {
            "tx_hash": f"0x{receipt.tx_hash.hex()}",
            "block": receipt.block_number,
            "block_hash": receipt.block_hash.hex(),
            "gas_used": receipt.gas_used,
            "gas_price": str(receipt.gas_price),
        }
        cost = receipt.gas_used * receipt.gas_price
        if not receipt.succeeded:
            revert = self._cause(intent)
            facts |= {"ending": Ending.REVERTED.value} | revert
            return self._finish(intent, attempts, "reverted", facts, cost)
        if receipt.is_confirmed(head, self._context.policy.confirmations):
            cancelled = mined.outcome == CANCELS
            ending = Ending.CANCELLED if cancelled else Ending.CONFIRMED
            state = "cancelled" if cancelled else "confirmed"
            facts |= {"ending": ending.value}
            return self._finish(intent, attempts, state, facts, cost)
        noted = (intent.result or {}).get("block_hash")
        if intent.state != "mined" or noted != facts["block_hash"]:
            with self._context.sessions.begin() as session:
                change_state(session, intent.id, "mined", facts)
                note_cost(session, intent.id, cost)
        return describe(Stage.MINED, intent, attempts, block=receipt.block_number)

    def _finish(
        self,
        intent: TransactionIntent,
        attempts: list[TransactionAttempt],
        state: str,
        facts: dict[str, object],
        cost: int,
    ) -> Progress:
        with self._context.sessions.begin() as session:
            change_state(session, intent.id, state, facts)
            note_cost(session, intent.id, cost)
            clear_alarm(session, alarms.FEE_CEILING, intent.key)
            clear_alarm(session, alarms.NONCE_USURPED, intent.key)
        with self._context.sessions() as session:
            return ended(get_intent(session, intent.id), attempts)

    def _cause(self, intent: TransactionIntent) -> dict[str, str]:
        """Why it reverted, judged at the head: the node keeps no older states."""
        try:
            estimate_gas(self._node, call_of(intent), bytes(intent.account))
        except CallReverted as revert:
            return {"letter": revert.reason, "reason": revert.meaning}
        except ChainError as error:
            return {"letter": "", "reason": f"the cause could not be asked: {error}"}
        return {"letter": "", "reason": "it would succeed now"}
