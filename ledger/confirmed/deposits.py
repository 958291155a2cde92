"""Deposits: money of wallets, or of addresses that may still register."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert

from ledger.confirmed.events import ConfirmedEvent, Ground
from ledger.deposits import Credit, credit
from models import OrphanDeposit


def apply(ground: Ground, events: Sequence[ConfirmedEvent]) -> None:
    """Credit deposits to wallets and keep those of strangers; a deposit of zero does nothing."""
    credits: list[Credit] = []
    orphans: list[dict[str, object]] = []
    for event in events:
        amount, wallet = event.number("amount"), ground.wallet(event)
        if amount == 0:
            continue
        if wallet is None:
            orphans.append(_orphan(ground, event, amount))
            continue
        credits.append(
            Credit(
                event_id=event.id,
                wallet_id=wallet.id,
                stream=wallet.stream,
                amount=amount,
                eon=event.eon,
                block=event.block,
                transaction_hash=event.transaction_hash,
            )
        )
    credit(ground.session, credits)
    if orphans:
        ground.session.execute(insert(OrphanDeposit), orphans)


def _orphan(ground: Ground, event: ConfirmedEvent, amount: int) -> dict[str, object]:
    token_id, address = ground.key(event)
    return {
        "event_id": event.id,
        "token_id": token_id,
        "address": address,
        "amount": amount,
        "eon": event.eon,
        "block": event.block,
        "transaction_hash": event.transaction_hash,
    }
