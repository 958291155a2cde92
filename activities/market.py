"""The chain at the moment of sending, and what may be offered on it: ceilings, funds, budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.orm import Session

from activities.context import Context
from chain.blocks import BlockHeader
from chain.errors import WrongChain
from chain.fees import Fee, FeeMarket, FeePolicy, Window, fee_ceiling, required_balance
from chain.gas import read_fee_market
from chain.pool import pool_count
from duties import alarms
from ledger.alarms import clear_alarm, raise_alarm
from ledger.transactions.intents import is_vital
from ledger.transactions.lane import read_bounds
from ledger.transactions.spending import claimed_funds, spent_on
from models import TransactionIntent
from protocol.address import Address

GWEI: Final = 10**9


@dataclass(frozen=True)
class Market:
    """What a node said just now; amounts in wei."""

    head: BlockHeader
    fees: FeeMarket
    mined_count: int
    pool_count: int
    balance: int


def read_market(context: Context, account: Address) -> Market:
    """Ask the node; raises WrongChain if it speaks for another chain than the contract's."""
    node, expected = context.gateway.node, context.gateway.parameters().chain_id
    found = node.require_chain()
    if found != expected:
        raise WrongChain(f"{node.label} follows chain {found}, the contract is on {expected}")
    return Market(
        head=node.head(),
        fees=read_fee_market(node),
        mined_count=node.transaction_count(account),
        pool_count=pool_count(node, account),
        balance=node.balance(account),
    )


def window_of(intent: TransactionIntent, market: Market) -> Window | None:
    """The time that an intent has; None without a deadline."""
    if intent.deadline_block is None:
        return None
    opened = intent.earliest_block or intent.first_broadcast_block or market.head.number
    return Window(opened, intent.deadline_block, is_vital(intent))


def is_pressed(window: Window | None, market: Market) -> bool:
    """Whether nothing but the account's pause may hold the transaction any more."""
    return window is not None and (window.is_vital or window.is_half_gone(market.head.number))


def ceiling_of(
    context: Context,
    session: Session,
    intent: TransactionIntent,
    market: Market,
    gas_limit: int,
    window: Window | None,
) -> int:
    """The most per gas that an intent may offer now.

    What other transactions have claimed counts, unless that leaves too little for a vital one:
    then the node may decide.
    """
    claimed = claimed_funds(session, bytes(intent.account), except_intents=[intent.id])
    free = market.balance - claimed
    asked = (market.fees.base_fee or market.fees.gas_price) * gas_limit
    is_last_chance = window is not None and window.is_vital and free < asked
    return fee_ceiling(
        _policy_of(context, session, intent),
        head=market.head.number,
        window=window,
        balance=market.balance if is_last_chance else free,
        gas_limit=gas_limit,
        value=intent.value,
    )


def _policy_of(context: Context, session: Session, intent: TransactionIntent) -> FeePolicy:
    """The settings of fees under the ceilings that a person set; the least tip always fits."""
    fees, bounds = context.fees, read_bounds(session, bytes(intent.account))
    ordinary, critical = fees.ceiling, fees.critical_ceiling
    if bounds.critical_ceiling_gwei is not None:
        critical = bounds.critical_ceiling_gwei * GWEI
        ordinary = min(ordinary, critical)
    if bounds.ceiling_gwei is not None:
        ordinary = bounds.ceiling_gwei * GWEI
    ordinary = max(ordinary, fees.min_tip)
    return replace(fees, ceiling=ordinary, critical_ceiling=max(ordinary, critical))


def reason_to_hold(
    context: Context,
    session: Session,
    intent: TransactionIntent,
    market: Market,
    cost: tuple[Fee, int],
    window: Window | None,
) -> str | None:
    """Why an ordinary transaction of this fee and gas limit has to wait, with its alarm.

    Pressed ones never wait for money; missing funds raise the alarm all the same.
    """
    about = f"0x{intent.account.hex()}"
    claimed = claimed_funds(session, bytes(intent.account), except_intents=[intent.id])
    needed = required_balance(*cost, intent.value) + claimed
    pressed = is_pressed(window, market)
    if needed > market.balance:
        short = f"the account has {market.balance} wei, all that is under way may need {needed}"
        raise_alarm(session, alarms.CRITICAL, alarms.SENDING_HELD, about, short)
        return None if pressed else short
    clear_alarm(session, alarms.SENDING_HELD, about)
    budget = context.daily_budget
    if not budget or pressed:
        return None
    spent = spent_on(session, bytes(intent.account), datetime.now(UTC)) + claimed
    if spent >= budget:
        message = f"{spent} wei of the day's {budget} are spent or under way"
        raise_alarm(session, alarms.WARNING, alarms.BUDGET, about, message)
        return message
    clear_alarm(session, alarms.BUDGET, about)
    return None
