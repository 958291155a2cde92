"""Crediting deposits: of wallets, and of addresses that register after the money arrived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert as plain_insert
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from ledger.accounts import lock_accounts
from ledger.clock import cursor_of
from ledger.notifications import Fact, tell_all
from ledger.payloads import deposit_payload
from models import Deposit, OrphanDeposit, Wallet
from protocol.address import Address

_CREDIT = text("""
UPDATE wallet_eon SET deposited = deposited + credited.amount
FROM (
    SELECT wallet_id, eon, sum(amount) AS amount
    FROM unnest(:wallets ::bigint[], :eons ::bigint[], :amounts ::numeric[])
        AS named (wallet_id, eon, amount)
    GROUP BY wallet_id, eon
) AS credited
WHERE wallet_eon.wallet_id = credited.wallet_id AND wallet_eon.eon = credited.eon
""")


@dataclass(frozen=True, slots=True)
class Credit:
    """A confirmed deposit to be credited to a wallet in `eon`; `stream` is the wallet's."""

    event_id: int
    wallet_id: int
    stream: str
    amount: int
    eon: int
    block: int
    transaction_hash: bytes


def credit(session: Session, credits: Sequence[Credit]) -> list[Deposit]:
    """Store deposits, add them to accounts that the caller has locked, and tell the wallets."""
    if not credits:
        return []
    rows = [
        {
            "event_id": one.event_id,
            "wallet_id": one.wallet_id,
            "amount": one.amount,
            "eon": one.eon,
            "block": one.block,
            "transaction_hash": one.transaction_hash,
        }
        for one in credits
    ]
    statement = plain_insert(Deposit).returning(Deposit, sort_by_parameter_order=True)
    deposits = list(session.scalars(statement, rows))
    session.execute(
        _CREDIT,
        {
            "wallets": [one.wallet_id for one in credits],
            "eons": [one.eon for one in credits],
            "amounts": [one.amount for one in credits],
        },
    )
    tell_all(
        session,
        [
            Fact("CONFIRMED_DEPOSIT", (one.stream,), deposit_payload(deposit))
            for one, deposit in zip(credits, deposits, strict=True)
        ],
    )
    return deposits


def credit_orphans(session: Session, wallets: Iterable[tuple[Wallet, str]]) -> list[Deposit]:
    """Credit what arrived before wallets registered, all of it in their registration eon.

    `wallets` are new rows of this transaction with their streams; it holds the locks of their
    tokens, so that no deposit can become an orphan unseen meanwhile.
    """
    registered = {(w.token_id, bytes(w.address)): (w, stream) for w, stream in wallets}
    orphans = _unclaimed(session, registered)
    if not orphans:
        return []
    owners = [registered[orphan.token_id, bytes(orphan.address)] for orphan in orphans]
    for eon in sorted({wallet.registration_eon for wallet, _ in owners}, reverse=True):
        inside = [wallet.id for wallet, _ in owners if wallet.registration_eon == eon]
        lock_accounts(cursor_of(session), inside, eon)
    deposits = credit(
        session,
        [
            Credit(
                event_id=orphan.event_id,
                wallet_id=wallet.id,
                stream=stream,
                amount=orphan.amount,
                eon=wallet.registration_eon,
                block=orphan.block,
                transaction_hash=orphan.transaction_hash,
            )
            for orphan, (wallet, stream) in zip(orphans, owners, strict=True)
        ],
    )
    session.execute(
        update(OrphanDeposit),
        [
            {"id": orphan.id, "deposit_id": deposit.id}
            for orphan, deposit in zip(orphans, deposits, strict=True)
        ],
    )
    return deposits


def _unclaimed(
    session: Session, registered: Iterable[tuple[int, Address]]
) -> Sequence[OrphanDeposit]:
    names = list(registered)
    if not names:
        return []
    found = session.scalars(
        select(OrphanDeposit)
        .where(
            OrphanDeposit.deposit_id.is_(None),
            OrphanDeposit.address.in_({address for _, address in names}),
        )
        .order_by(OrphanDeposit.block, OrphanDeposit.id)
    )
    wanted = set(names)
    return [orphan for orphan in found if (orphan.token_id, bytes(orphan.address)) in wanted]
