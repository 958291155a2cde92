"""Sending: nonce, fee and signature are fixed and stored before a byte leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session
from temporalio import activity

from activities.context import Context
from activities.describing import call_of, describe, ended
from activities.preflight import void_reason
from chain.blocks import BlockHeader
from chain.errors import CallReverted, GasLimitTooHigh, TransactionRefused
from chain.fees import (
    MIN_GAS_LIMIT,
    DynamicFee,
    Fee,
    FeeMarket,
    LegacyFee,
    Window,
    bumped,
    fee_ceiling,
    first_fee,
    is_replacement_due,
    replacement_fee,
    required_balance,
)
from chain.gas import estimate_gas, gas_limit, read_fee_market
from chain.pool import pool_count
from chain.signer import TransactionRequest, TransactionSigner
from chain.transactions import SendOutcome, find_mined, is_known, send_raw
from duties import alarms, tasks
from duties.transactions import Broadcast, Ending, Progress, Stage
from ledger.alarms import clear_alarm, raise_alarm
from ledger.transactions.attempts import (
    DYNAMIC,
    LEGACY,
    SignedAttempt,
    attempts_of,
    claimed_funds,
    note_broadcast,
    store_attempt,
    stored_bytes,
)
from ledger.transactions.intents import OPEN, change_state, get_intent, is_vital
from ledger.transactions.nonces import Grant, assign_nonce
from models import TransactionAttempt, TransactionIntent

GWEI: Final = 10**9
UNDERPRICED_ROUNDS: Final = 3
_TOO_CHEAP: Final = (SendOutcome.REPLACEMENT_UNDERPRICED, SendOutcome.FEE_TOO_LOW)


class KeyMissing(Exception):
    """This process was given no key: only the role that signs may broadcast."""


@dataclass(frozen=True)
class Market:
    """The chain at the moment of sending; amounts in wei."""

    head: BlockHeader
    fees: FeeMarket
    mined_count: int
    pool_count: int
    balance: int


class Broadcaster:
    """Carries out `broadcast`; one at a time, as the queue grants it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._node = context.gateway.node

    @activity.defn(name=tasks.BROADCAST.name)
    def broadcast(self, order: Broadcast) -> Progress:
        """Send an intent for the first time, again, or dearer; whatever is due.

        Says `waiting` with the reason when it must wait, and ends intents that are refused before
        a nonce was spent on them. Never sends twice what one nonce can carry once.
        """
        with self._context.sessions.begin() as session:
            intent = get_intent(session, order.intent_id)
            attempts = list(attempts_of(session, intent.id))
        if intent.state not in OPEN:
            return ended(intent, attempts)
        market = self._read_market(intent)
        if not attempts:
            return self._begin(order, intent, market)
        return self._continue(order, intent, attempts, market)

    def _begin(self, order: Broadcast, intent: TransactionIntent, market: Market) -> Progress:
        if order.cancelling:
            return self._end(intent, Ending.CANCELLED, "cancelled before it was sent")
        void = void_reason(self._context, intent)
        if void is not None:
            return self._end(intent, Ending.REFUSED, void)
        call = call_of(intent)
        try:
            estimate = estimate_gas(self._node, call, bytes(intent.account))
            limit = gas_limit(estimate, market.head.gas_limit)
        except CallReverted as revert:
            return self._end(intent, Ending.REFUSED, revert.meaning, revert.reason)
        except GasLimitTooHigh as error:
            return self._end(intent, Ending.REFUSED, str(error))
        if intent.gas_ceiling is not None and estimate > intent.gas_ceiling:
            return self._end(intent, Ending.REFUSED, f"{estimate} gas, above {intent.gas_ceiling}")
        ceiling = self._ceiling(order, intent, market, limit)
        fee = first_fee(market.fees, self._context.fees, ceiling)
        refusal = self._sign_first(intent.id, market, fee, limit)
        if refusal is not None:
            return Progress(Stage.WAITING, reason=refusal)
        return self._send_newest(order, intent.id, market)

    def _sign_first(self, intent_id: int, market: Market, fee: Fee, limit: int) -> str | None:
        """Nonce, signature and attempt in one transaction; returns why not, if so."""
        with self._context.sessions.begin() as session:
            intent = get_intent(session, intent_id, lock=True)
            short = self._missing_funds(session, intent, market, fee, limit)
            if short is not None:
                about = f"0x{intent.account.hex()}"
                raise_alarm(session, alarms.CRITICAL, alarms.FUEL, about, short)
                return short
            grant = assign_nonce(
                session,
                intent,
                node_count=market.pool_count,
                limit=self._context.in_flight_limit,
            )
            if grant is not Grant.GIVEN:
                return grant.value
            store_attempt(session, intent, self._sign(intent, fee, limit, market.head.number))
        return None

    def _continue(
        self,
        order: Broadcast,
        intent: TransactionIntent,
        attempts: list[TransactionAttempt],
        market: Market,
    ) -> Progress:
        newest = attempts[-1]
        if find_mined(self._node, [bytes(attempt.hash) for attempt in attempts]) is not None:
            return describe(Stage.SENT, intent, attempts)
        if market.mined_count > newest.nonce:
            return self._end_usurped(intent)
        # What the node has forgotten is given to it again first; only what waits is made dearer.
        is_waiting = newest.last_broadcast is not None and is_known(self._node, bytes(newest.hash))
        fee = _fee(newest)
        is_new_purpose = order.cancelling and newest.outcome is None
        due = is_new_purpose or is_replacement_due(
            fee,
            blocks_waited=max(0, market.head.number - newest.signed_at_block),
            base_fee=market.fees.base_fee,
            is_critical=is_vital(intent),
            policy=self._context.fees,
        )
        if is_waiting and due:
            self._replace(order, intent.id, market, fee, newest.gas_limit, intent)
        return self._send_newest(order, intent.id, market)

    def _replace(
        self,
        order: Broadcast,
        intent_id: int,
        market: Market,
        previous: Fee,
        limit: int,
        intent: TransactionIntent,
    ) -> None:
        """Store a dearer attempt, if the ceiling allows one."""
        ceiling = self._ceiling(order, intent, market, limit)
        fee = replacement_fee(previous, market.fees, self._context.fees, ceiling)
        with self._context.sessions.begin() as session:
            if fee is None:
                raise_alarm(
                    session,
                    alarms.WARNING,
                    alarms.FEE_CEILING,
                    intent.key,
                    f"unmined at {previous.cap} wei for each gas, the ceiling is {ceiling}",
                )
                return
            clear_alarm(session, alarms.FEE_CEILING, intent.key)
            locked = get_intent(session, intent_id, lock=True)
            signed = self._sign(locked, fee, limit, market.head.number, cancels=order.cancelling)
            store_attempt(session, locked, signed)

    def _send_newest(self, order: Broadcast, intent_id: int, market: Market) -> Progress:
        for _ in range(UNDERPRICED_ROUNDS):
            intent, attempts = self._load(intent_id)
            self._fill_gap(intent, market)
            outcome = self._send(attempts[-1])
            if outcome not in _TOO_CHEAP:
                break
            previous = bumped(_fee(attempts[-1]), self._context.fees.bump_percent)
            self._replace(order, intent_id, market, previous, attempts[-1].gas_limit, intent)
        intent, attempts = self._load(intent_id)
        reason = "" if outcome.is_in_pool else outcome.value
        return describe(Stage.SENT, intent, attempts, reason=reason)

    def _send(self, attempt: TransactionAttempt) -> SendOutcome:
        try:
            outcome = send_raw(self._node, bytes(attempt.raw))
        except TransactionRefused as refusal:
            activity.logger.warning("the node refused a transaction: %s", refusal.reason)
            return SendOutcome.POOL_FULL
        with self._context.sessions.begin() as session:
            note_broadcast(session, bytes(attempt.hash))
        return outcome

    def _fill_gap(self, intent: TransactionIntent, market: Market) -> None:
        """Give the node again what it has forgotten below our nonce; it takes what it lacks."""
        if intent.nonce is None or market.pool_count >= intent.nonce:
            return
        with self._context.sessions() as session:
            forgotten = stored_bytes(
                session, bytes(intent.account), market.pool_count, intent.nonce
            )
        for raw in forgotten:
            try:
                send_raw(self._node, raw)
            except TransactionRefused as refusal:
                activity.logger.warning("an older transaction was refused: %s", refusal.reason)

    def _load(self, intent_id: int) -> tuple[TransactionIntent, list[TransactionAttempt]]:
        with self._context.sessions() as session:
            return get_intent(session, intent_id), list(attempts_of(session, intent_id))

    def _read_market(self, intent: TransactionIntent) -> Market:
        account = bytes(intent.account)
        return Market(
            head=self._node.head(),
            fees=read_fee_market(self._node),
            mined_count=self._node.transaction_count(account),
            pool_count=pool_count(self._node, account),
            balance=self._node.balance(account),
        )

    def _ceiling(
        self, order: Broadcast, intent: TransactionIntent, market: Market, limit: int
    ) -> int:
        if order.ceiling_gwei is not None:
            return order.ceiling_gwei * GWEI
        window = None
        if intent.deadline_block is not None:
            opened = intent.earliest_block or intent.first_broadcast_block or market.head.number
            window = Window(opened, intent.deadline_block, is_vital(intent))
        with self._context.sessions() as session:
            claimed = claimed_funds(session, bytes(intent.account), except_intent=intent.id)
        return fee_ceiling(
            self._context.fees,
            head=market.head.number,
            window=window,
            balance=market.balance - claimed,
            gas_limit=limit,
            value=intent.value,
        )

    def _missing_funds(
        self, session: Session, intent: TransactionIntent, market: Market, fee: Fee, limit: int
    ) -> str | None:
        claimed = claimed_funds(session, bytes(intent.account), except_intent=intent.id)
        needed = required_balance(fee, limit, intent.value) + claimed
        if needed <= market.balance or is_vital(intent):
            return None
        return f"the account has {market.balance} wei, all that is under way may need {needed}"

    def _sign(
        self,
        intent: TransactionIntent,
        fee: Fee,
        limit: int,
        block: int,
        *,
        cancels: bool = False,
    ) -> SignedAttempt:
        signer = self._require_signer()
        signed = signer.sign(
            TransactionRequest(
                chain_id=self._context.gateway.parameters().chain_id,
                nonce=intent.nonce or 0,
                to=signer.address if cancels else bytes(intent.callee),
                value=0 if cancels else intent.value,
                data=b"" if cancels else bytes(intent.calldata),
                gas_limit=MIN_GAS_LIMIT if cancels else limit,
                fee=fee,
            )
        )
        is_dynamic = isinstance(fee, DynamicFee)
        return SignedAttempt(
            type=DYNAMIC if is_dynamic else LEGACY,
            fee_cap=fee.cap,
            tip=fee.priority_fee if isinstance(fee, DynamicFee) else fee.cap,
            gas_limit=MIN_GAS_LIMIT if cancels else limit,
            hash=signed.tx_hash,
            raw=signed.raw,
            signed_at_block=block,
            cancels=cancels,
        )

    def _require_signer(self) -> TransactionSigner:
        if self._context.signer is None:
            raise KeyMissing("this worker's role does not sign")
        return self._context.signer

    def _end(
        self, intent: TransactionIntent, ending: Ending, reason: str, letter: str = ""
    ) -> Progress:
        """End an intent that never got a nonce."""
        result = {"ending": ending.value, "reason": reason, "letter": letter}
        with self._context.sessions.begin() as session:
            change_state(session, intent.id, "cancelled", result)
        return Progress(Stage.ENDED, ending.value, reason=reason, letter=letter)

    def _end_usurped(self, intent: TransactionIntent) -> Progress:
        return end_usurped(self._context, intent)


def end_usurped(context: Context, intent: TransactionIntent) -> Progress:
    """Somebody else used our nonce: an ordinary event where other software has the key too."""
    reason = f"nonce {intent.nonce} was used by somebody else"
    with context.sessions.begin() as session:
        change_state(
            session, intent.id, "usurped", {"ending": Ending.USURPED.value, "reason": reason}
        )
        raise_alarm(session, alarms.WARNING, alarms.NONCE_USURPED, intent.key, reason)
    return Progress(Stage.ENDED, Ending.USURPED, nonce=intent.nonce, reason=reason)


def _fee(attempt: TransactionAttempt) -> Fee:
    if attempt.type == LEGACY:
        return LegacyFee(attempt.fee_cap)
    return DynamicFee(attempt.fee_cap, attempt.tip)
