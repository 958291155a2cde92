"""Sending the withdrawals that wallets delegated to us: the intent, and the last look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from activities.context import Context
from chain.calls import request_delegated_withdrawal
from duties import names
from duties.transactions import TransactionStart
from ledger.accounts import lock_accounts
from ledger.clock import cursor_of
from ledger.delegations import withdrawable
from ledger.refusals import LedgerInvariant
from ledger.transactions.intents import NewIntent, open_intent
from models import DelegatedWithdrawal, Token, TransactionIntent, Wallet
from protocol.address import Address

DELEGATED: Final = "delegated_withdrawal"


@dataclass(frozen=True, slots=True)
class Delegation:
    """A stored delegation with the wallet and token that it names."""

    row: DelegatedWithdrawal
    wallet_id: int
    holder: Address
    token: Address
    short_name: str


def open_delegation(context: Context, number: int) -> TransactionStart:
    """Open the intent of a delegation, once, and say how to carry it out.

    It must be mined in the eon that the signature is good for.
    """
    with context.sessions.begin() as session:
        found = _read(session, DelegatedWithdrawal.id == number)
        if found is None:
            raise LedgerInvariant(f"there is no delegation {number}")
        clock = context.rules(session).clock
        call = request_delegated_withdrawal(
            context.gateway.contract,
            token=found.token,
            holder=found.holder,
            amount=found.row.amount,
            expiry=found.row.expiry,
            signature=bytes(found.row.signature),
        )
        deadline = min(int(found.row.expiry), clock.last_block(found.row.eon))
        intent = open_intent(
            session,
            NewIntent(
                key=names.delegation_key(found.short_name, found.holder.hex(), number),
                duty=DELEGATED,
                account=context.operator.address,
                callee=call.to,
                calldata=call.data,
                deadline_block=deadline,
            ),
        )
        found.row.intent_id = intent.id
        return TransactionStart(
            intent_id=intent.id,
            key=intent.key,
            title=f"Request {found.row.amount} {found.short_name} for 0x{found.holder.hex()}",
            calendar=context.calendar(session),
            deadline_block=deadline,
        )


def delegation_objection(context: Context, intent: TransactionIntent) -> str | None:
    """Why a delegation must not be sent any more, None if it may.

    Nobody but us limits it: the wallet may have spent its money, or asked for it itself.
    """
    with context.sessions() as session:
        found = _read(session, DelegatedWithdrawal.intent_id == intent.id)
    if found is None:
        return None
    gateway, row = context.gateway, found.row
    if gateway.clock().eon_of(gateway.node.head().number + 1) != row.eon:
        return "the eon that it was signed in is over"
    if gateway.requested_amount(found.token, found.holder, row.eon) != row.pending:
        return "the wallet has requested something else meanwhile"
    with context.sessions.begin() as session:
        account = lock_accounts(cursor_of(session), [found.wallet_id], row.eon)[found.wallet_id]
        left = withdrawable(session, account)
    return None if row.amount <= left else f"only {left} units may be withdrawn now"


def _read(session: Session, condition: ColumnElement[bool]) -> Delegation | None:
    found = session.execute(
        select(DelegatedWithdrawal, Wallet.id, Wallet.address, Token.address, Token.short_name)
        .join(Wallet, Wallet.id == DelegatedWithdrawal.wallet_id)
        .join(Token, Token.id == Wallet.token_id)
        .where(condition)
    ).one_or_none()
    if found is None:
        return None
    row, wallet_id, holder, token, short_name = found
    return Delegation(row, wallet_id, bytes(holder), bytes(token), short_name)
