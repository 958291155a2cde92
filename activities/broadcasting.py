"""Sending an intent: for the first time, again, dearer, or as nothing but the use of its nonce."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from temporalio import activity

from activities.clearing import Clearing
from activities.context import Context
from activities.describing import call_of, describe, ended
from activities.market import Market, read_market, window_of
from activities.preflight import is_void_by_halt, void_reason
from activities.signing import Signing, fee_of
from chain.errors import CallReverted, GasLimitTooHigh
from chain.fees import CRITICAL_PATIENCE_BLOCKS, Window, is_replacement_due
from chain.gas import estimate_gas, gas_limit
from chain.transactions import SendOutcome, find_mined, is_known
from duties import alarms, tasks
from duties.transactions import Broadcast, Ending, Progress, Stage
from ledger.alarms import raise_alarm
from ledger.transactions.attempts import attempts_of
from ledger.transactions.intents import OPEN, change_state, get_intent, is_vital
from models import TransactionAttempt, TransactionIntent

PATIENCES_UNTIL_STUCK: Final = 3
"""After so many patience periods without a trace every attempt is sent again."""


class Broadcaster:
    """Carries out `broadcast`: ordinary intents one at a time, vital ones beside them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._node = context.gateway.node
        self._signing = Signing(context)
        self._clearing = Clearing(context, self._signing)

    @activity.defn(name=tasks.BROADCAST.name)
    def broadcast(self, order: Broadcast) -> Progress:
        """Send an intent for the first time, again, or dearer; whatever is due.

        Says `waiting` with the reason when it must wait, and ends intents that are refused before
        a nonce was spent on them. Never sends twice what one nonce can carry once.
        """
        intent, attempts = self._load(order.intent_id)
        if intent.state not in OPEN:
            return ended(intent, attempts)
        market = read_market(self._context, bytes(intent.account))
        if not attempts:
            return self._begin(order, intent, market)
        return self._continue(order, intent, attempts, market)

    def _begin(self, order: Broadcast, intent: TransactionIntent, market: Market) -> Progress:
        if order.cancelling:
            return self._end(intent, Ending.CANCELLED, "cancelled before it was sent")
        void = void_reason(self._context, intent)
        if void is not None:
            return self._end(intent, Ending.REFUSED, void)
        try:
            estimate = estimate_gas(self._node, call_of(intent), bytes(intent.account))
            limit = gas_limit(estimate, market.head.gas_limit)
        except CallReverted as revert:
            return self._end(intent, Ending.REFUSED, revert.meaning, revert.reason)
        except GasLimitTooHigh as error:
            return self._end(intent, Ending.REFUSED, str(error))
        if intent.gas_ceiling is not None and estimate > intent.gas_ceiling:
            return self._end(intent, Ending.REFUSED, f"{estimate} gas, above {intent.gas_ceiling}")
        refusal = self._signing.begin(intent.id, market, limit, order.ceiling_gwei)
        if refusal is not None:
            return Progress(Stage.WAITING, reason=refusal)
        return self._send(order, intent.id, market)

    def _continue(
        self,
        order: Broadcast,
        intent: TransactionIntent,
        attempts: list[TransactionAttempt],
        market: Market,
    ) -> Progress:
        newest = attempts[-1]
        if not order.cancelling and is_void_by_halt(self._context, intent):
            # Its nonce is given to a transfer to oneself: later ones must not be stuck behind it.
            order = replace(order, cancelling=True)
        if find_mined(self._node, [bytes(attempt.hash) for attempt in attempts]) is not None:
            return describe(Stage.SENT, intent, attempts)
        if market.mined_count > newest.nonce:
            # Ours without a receipt yet, or another's: whoever watches will see.
            return describe(Stage.SENT, intent, attempts, reason="its nonce is used")
        is_waiting = newest.last_broadcast is not None and is_known(self._node, bytes(newest.hash))
        blocks = max(0, market.head.number - newest.signed_at_block)
        is_replaced = self._is_due(order, intent, newest, market, blocks if is_waiting else 0)
        if is_replaced:
            self._signing.replace(
                intent.id,
                market,
                ceiling_gwei=order.ceiling_gwei,
                cancels=order.cancelling or void_reason(self._context, intent) is not None,
                limit=self._present_limit(intent, market),
            )
        elif not is_waiting and blocks >= PATIENCES_UNTIL_STUCK * self._patience(intent):
            for attempt in reversed(attempts):
                self._clearing.send(attempt)
        return self._send(order, intent.id, market)

    def _is_due(
        self,
        order: Broadcast,
        intent: TransactionIntent,
        newest: TransactionAttempt,
        market: Market,
        blocks_waited: int,
    ) -> bool:
        """Whether another attempt is needed: dearer, or one that only uses the nonce up. A person
        may want it at once.

        What the node has forgotten has not waited; it is given to it again first.
        """
        is_new_purpose = order.cancelling and newest.outcome is None
        return (
            order.forced
            or is_new_purpose
            or is_replacement_due(
                fee_of(newest),
                blocks_waited=blocks_waited,
                base_fee=market.fees.base_fee,
                is_critical=is_vital(intent),
                policy=self._context.fees,
            )
        )

    def _present_limit(self, intent: TransactionIntent, market: Market) -> int:
        """The gas that the call needs now, 0 if it would not pass: it may pass when it is mined."""
        try:
            used = estimate_gas(self._node, call_of(intent), bytes(intent.account))
            return gas_limit(used, market.head.gas_limit)
        except (CallReverted, GasLimitTooHigh):
            return 0

    def _send(self, order: Broadcast, intent_id: int, market: Market) -> Progress:
        intent, _ = self._load(intent_id)
        window = window_of(intent, market)
        self._clearing.clear(intent, market, _vital(window), order.ceiling_gwei)
        outcome = self._clearing.send_newest(
            intent, market, ceiling_gwei=order.ceiling_gwei, cancels=order.cancelling
        )
        if outcome is SendOutcome.INSUFFICIENT_FUNDS:
            self._announce_empty_account(intent, market)
        intent, attempts = self._load(intent_id)
        reason = "" if outcome.is_in_pool else outcome.value
        return describe(Stage.SENT, intent, attempts, reason=reason)

    def _announce_empty_account(self, intent: TransactionIntent, market: Market) -> None:
        message = f"the node refuses {intent.key}: the account has {market.balance} wei"
        with self._context.sessions.begin() as session:
            about = f"0x{intent.account.hex()}"
            raise_alarm(session, alarms.CRITICAL, alarms.SENDING_HELD, about, message)

    def _patience(self, intent: TransactionIntent) -> int:
        fees = self._context.fees
        return CRITICAL_PATIENCE_BLOCKS if is_vital(intent) else fees.bump_after_blocks

    def _load(self, intent_id: int) -> tuple[TransactionIntent, list[TransactionAttempt]]:
        with self._context.sessions() as session:
            return get_intent(session, intent_id), list(attempts_of(session, intent_id))

    def _end(
        self, intent: TransactionIntent, ending: Ending, reason: str, letter: str = ""
    ) -> Progress:
        """End an intent that never got a nonce."""
        result = {"ending": ending.value, "reason": reason, "letter": letter}
        with self._context.sessions.begin() as session:
            change_state(session, intent.id, "cancelled", result)
        return Progress(Stage.ENDED, ending.value, reason=reason, letter=letter)


def _vital(window: Window | None) -> Window | None:
    return window if window is not None and window.is_vital else None
