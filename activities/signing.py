"""Signing: nonce, fee and signature are fixed and stored in one transaction, before sending."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from activities.context import Context
from activities.market import GWEI, Market, ceiling_of, reason_to_hold, window_of
from chain.fees import (
    MIN_GAS_LIMIT,
    DynamicFee,
    Fee,
    LegacyFee,
    Window,
    dearer,
    first_fee,
    replacement_fee,
)
from chain.signer import SignsTransactions, TransactionRequest
from crash_points import TRANSACTION_SIGNED, crash_point
from duties import alarms, names, notices
from ledger.alarms import clear_alarm, raise_alarm
from ledger.duty_notices import notice
from ledger.transactions.attempts import (
    DYNAMIC,
    LEGACY,
    SignedAttempt,
    attempts_of,
    store_attempt,
)
from ledger.transactions.intents import OPEN, NewIntent, get_intent, open_intent
from ledger.transactions.nonces import Grant, assign_nonce, lock_account, take_nonce
from models import TransactionAttempt, TransactionIntent
from protocol.address import Address

REPAIR: Final = "repair"


class KeyMissing(Exception):
    """This process was given no key: only the role that signs may broadcast."""


class Signing:
    """Writes attempts: the first of an intent, dearer ones, and those that fill a gap."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def begin(
        self, intent_id: int, market: Market, limit: int, ceiling_gwei: int | None
    ) -> str | None:
        """Give an intent its nonce and its first attempt; returns why not, if it has to wait."""
        with self._context.sessions.begin() as session:
            intent = get_intent(session, intent_id, lock=True)
            window = window_of(intent, market)
            ceiling = self._ceiling(session, intent, market, limit, window, ceiling_gwei)
            fee = first_fee(market.fees, self._context.fees, ceiling)
            held = reason_to_hold(self._context, session, intent, market, (fee, limit), window)
            if held is not None:
                return held
            grant = assign_nonce(
                session,
                intent,
                node_count=market.pool_count,
                limit=self._context.in_flight_limit,
                is_pressed=window is not None and window.is_half_gone(market.head.number),
            )
            if grant is not Grant.GIVEN:
                return grant.value
            store_attempt(session, intent, self._sign(intent, fee, limit, market.head.number))
        return None

    def replace(
        self,
        intent_id: int,
        market: Market,
        *,
        window: Window | None = None,
        ceiling_gwei: int | None = None,
        cancels: bool = False,
        floor: Fee | None = None,
        limit: int = 0,
    ) -> bool:
        """Store a dearer attempt; False when the intent has ended or a ceiling forbids it.

        `window`: of a vital transaction behind it, whose ceiling counts then. `floor`: what the
        node's pool demands to be outbid. `limit`: the gas that the call needs now, if more.
        """
        with self._context.sessions.begin() as session:
            intent = get_intent(session, intent_id, lock=True)
            attempts = attempts_of(session, intent_id)
            if intent.state not in OPEN or not attempts:
                return False
            newest = attempts[-1]
            window = window or window_of(intent, market)
            limit = max(limit, newest.gas_limit)
            ceiling = self._ceiling(session, intent, market, limit, window, ceiling_gwei)
            previous = fee_of(newest) if floor is None else dearer(fee_of(newest), floor)
            fee = replacement_fee(previous, market.fees, self._context.fees, ceiling)
            if fee is None:
                raise_alarm(
                    session,
                    alarms.WARNING,
                    alarms.FEE_CEILING,
                    intent.key,
                    f"unmined at {previous.cap} wei for each gas, the ceiling is {ceiling}",
                )
                return False
            clear_alarm(session, alarms.FEE_CEILING, intent.key)
            cost = (fee, limit)
            if reason_to_hold(self._context, session, intent, market, cost, window) is not None:
                return False
            cancels = cancels or newest.outcome is not None
            signed = self._sign(intent, fee, limit, market.head.number, cancels=cancels)
            store_attempt(session, intent, signed)
        return True

    def fill(self, account: Address, nonce: int, market: Market, window: Window) -> int:
        """Put a transfer to oneself where nobody of ours is; returns its intent's id.

        Its own workflow, which a notice starts, follows it to its end.
        """
        with self._context.sessions.begin() as session:
            row = lock_account(session, account)
            key = names.repair_key(nonce, market.head.number)
            intent = open_intent(
                session,
                NewIntent(key=key, duty=REPAIR, account=account, callee=account, calldata=b""),
            )
            if intent.nonce is None:
                take_nonce(session, row, intent, nonce)
                ceiling = ceiling_of(self._context, session, intent, market, MIN_GAS_LIMIT, window)
                fee = first_fee(market.fees, self._context.fees, ceiling)
                signed = self._sign(intent, fee, MIN_GAS_LIMIT, market.head.number, cancels=True)
                store_attempt(session, intent, signed)
                arguments = {"intent_id": intent.id, "key": key, "title": f"Use up nonce {nonce}"}
                notice(session, f"carry-out-{key}", notices.TRANSACTION_OPENED, arguments)
            return intent.id

    def _ceiling(
        self,
        session: Session,
        intent: TransactionIntent,
        market: Market,
        limit: int,
        window: Window | None,
        ceiling_gwei: int | None,
    ) -> int:
        if ceiling_gwei is not None:
            return ceiling_gwei * GWEI
        return ceiling_of(self._context, session, intent, market, limit, window)

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
        crash_point(TRANSACTION_SIGNED)
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

    def _require_signer(self) -> SignsTransactions:
        if self._context.signer is None:
            raise KeyMissing("this worker's role does not sign")
        return self._context.signer


def fee_of(attempt: TransactionAttempt) -> Fee:
    """What an attempt offers."""
    if attempt.type == LEGACY:
        return LegacyFee(attempt.fee_cap)
    return DynamicFee(attempt.fee_cap, attempt.tip)
