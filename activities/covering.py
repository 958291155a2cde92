"""Paying into the pool what a person has ordered to be covered."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from activities.context import Context
from chain.calls import Call, pay_into_pool
from duties import names
from duties.transactions import TransactionStart
from ledger.refusals import LedgerInvariant
from ledger.transactions.intents import NewIntent, open_intent
from models import Cover, Token

COVER: Final = "cover"


def open_cover(context: Context, number: int) -> TransactionStart:
    """Open the intent of an ordered cover, once, and say how to carry it out."""
    with context.sessions.begin() as session:
        found = session.execute(
            select(Cover, Token.address, Token.short_name)
            .join(Token, Token.id == Cover.token_id)
            .where(Cover.id == number)
        ).one_or_none()
        if found is None:
            raise LedgerInvariant(f"there is no cover {number}")
        cover, token, short_name = found
        call: Call = pay_into_pool(
            context.gateway.contract, token=bytes(token), amount=cover.amount
        )
        intent = open_intent(
            session,
            NewIntent(
                key=names.cover_key(short_name, number),
                duty=COVER,
                account=context.operator.address,
                callee=call.to,
                calldata=call.data,
                value=call.value,
            ),
        )
        cover.intent_id = intent.id
        return TransactionStart(
            intent_id=intent.id,
            key=intent.key,
            title=f"Pay {cover.amount} {short_name} into the pool",
            calendar=context.calendar(session),
        )
