"""Confirmed events become money: deposits, withdrawal requests and what ends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from ledger.accounts import lock_accounts
from ledger.clock import cursor_of, keep_open
from ledger.confirmed import checkpoints, deposits, requests, settlements
from ledger.confirmed.events import (
    ConfirmedEvent,
    Ground,
    Handler,
    KnownToken,
    KnownWallet,
    WalletKey,
    known_wallet,
)
from ledger.refusals import LedgerInvariant
from ledger.rules import LedgerRules
from ledger.tokens import note_token
from models import ChainEvent, Token, Wallet
from protocol.address import Address

BATCH: Final = 1_000
"""Events applied in one transaction; the rest waits for the next."""

_CREDITING: Final = ("Deposit", "WithdrawalRequest")
_MONEY: Final = (*_CREDITING, "WithdrawalConfirmation", "WithdrawalSlashed")
_NAMING: Final = (*_MONEY, "TokenRegistered")
_HANDLERS: Final[dict[str, Handler]] = {
    "Deposit": deposits.apply,
    "WithdrawalRequest": requests.apply,
    "WithdrawalConfirmation": settlements.apply_confirmations,
    "WithdrawalSlashed": settlements.apply_slashes,
    "CheckpointSubmission": checkpoints.apply,
}


@dataclass(frozen=True, slots=True)
class AppliedEvents:
    """How many events a call applied, and whether more are waiting."""

    applied: int
    more: bool


def apply_confirmed_events(
    session: Session, rules: LedgerRules, up_to_block: int, *, limit: int = BATCH
) -> AppliedEvents:
    """Apply the oldest events of confirmed blocks that are not applied yet.

    Call it before the last block of an eon counts as confirmed to whoever closes the eon: money
    for a closed eon raises `LedgerInvariant`. A token that somebody registered without the ledger
    is noted as pending, with an alarm, so that its money waits and nobody's checkpoint does.
    """
    events = _waiting(session, up_to_block, limit)
    if events:
        ground = _prepare(session, rules, events)
        for name, run in groupby(events, key=lambda event: event.name):
            handler = _HANDLERS.get(name)
            if handler is not None:
                handler(ground, list(run))
        ids = [event.id for event in events]
        session.execute(update(ChainEvent).where(ChainEvent.id.in_(ids)).values(applied=True))
    return AppliedEvents(len(events), more=len(events) == limit)


def touched_eons(event: ConfirmedEvent) -> Iterable[int]:
    """The eons in which a money event changes accounts."""
    if event.name in _CREDITING:
        return (event.eon,)
    if event.name == "WithdrawalSlashed":
        return range(max(event.eon - 1, 1), event.eon + 1)
    return ()


def _waiting(session: Session, up_to_block: int, limit: int) -> list[ConfirmedEvent]:
    rows = session.execute(
        select(
            ChainEvent.id,
            ChainEvent.block,
            ChainEvent.eon,
            ChainEvent.transaction_hash,
            ChainEvent.name,
            ChainEvent.arguments,
        )
        .where(~ChainEvent.applied, ~ChainEvent.orphaned, ChainEvent.block <= up_to_block)
        .order_by(ChainEvent.block, ChainEvent.log_index)
        .limit(limit)
        .with_for_update(of=ChainEvent)
    )
    return [ConfirmedEvent(*row) for row in rows]


def _prepare(session: Session, rules: LedgerRules, events: Sequence[ConfirmedEvent]) -> Ground:
    """Take every lock in the ledger's order: eons, tokens, accounts."""
    tokens = _tokens(session, (event for event in events if event.name in _NAMING))
    money = [event for event in events if event.name in _MONEY]
    eons = sorted({eon for event in money for eon in touched_eons(event)})
    closed = frozenset(eon for eon in eons if not keep_open(session, eon))
    keys = {(tokens[event.data("token")].id, event.participant) for event in money}
    wallets = _wallets(session, keys)
    strangers = keys - wallets.keys()
    if strangers:
        # Whoever registers holds its token: a deposit is either seen by it or sees the wallet.
        _lock_tokens(session, {token_id for token_id, _ in strangers})
        wallets |= _wallets(session, strangers)
    ground = Ground(session, rules, tokens, wallets, closed)
    for event in money:
        if event.name in _CREDITING and event.eon in closed and ground.wallet(event) is not None:
            raise LedgerInvariant(f"{event.name} of eon {event.eon}, which is closed")
    _lock_accounts(ground, money, eons)
    return ground


def _lock_accounts(ground: Ground, money: Sequence[ConfirmedEvent], eons: Sequence[int]) -> None:
    found = (ground.wallet(event) for event in money if touched_eons(event))
    ids = {wallet.id for wallet in found if wallet is not None}
    for eon in reversed(eons):
        if ids:
            lock_accounts(cursor_of(ground.session), ids, eon)


def _tokens(session: Session, events: Iterable[ConfirmedEvent]) -> dict[Address, KnownToken]:
    """Resolve the tokens of events; the ledger notes those that it meets for the first time."""
    met = {event.data("token"): event.block for event in reversed(list(events))}
    known = _known_tokens(session, met.keys())
    missing = [address for address in met if address not in known]
    for address in missing:
        note_token(session, address, met[address])
    return known | _known_tokens(session, missing)


def _known_tokens(session: Session, addresses: Iterable[Address]) -> dict[Address, KnownToken]:
    rows = session.execute(
        select(Token.id, Token.address, Token.text, Token.short_name).where(
            Token.address.in_(list(addresses))
        )
    )
    return {
        bytes(address): KnownToken(token_id, bytes(address), text, short_name)
        for token_id, address, text, short_name in rows
    }


def _wallets(session: Session, keys: set[WalletKey]) -> dict[WalletKey, KnownWallet]:
    if not keys:
        return {}
    rows = session.execute(
        select(Wallet.id, Wallet.token_id, Wallet.address, Token.text, Wallet.text)
        .join(Token, Token.id == Wallet.token_id)
        .where(
            tuple_(Wallet.token_id, Wallet.address).in_(keys),
            Wallet.trail_identifier.is_not(None),
        )
    )
    return {
        (token_id, bytes(address)): known_wallet(wallet_id, token_text, wallet_text)
        for wallet_id, token_id, address, token_text, wallet_text in rows
    }


def _lock_tokens(session: Session, token_ids: set[int]) -> None:
    session.execute(
        select(Token.id)
        .where(Token.id.in_(token_ids))
        .order_by(Token.trail)
        .with_for_update(key_share=True)
    )
