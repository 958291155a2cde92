"""The list of transactions: filtered, searched, ordered and cut into pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ledger.reading.values import TransactionSummary, WalletReference
from models import Token, Transfer, Wallet
from models.aliases import shared_alias

PAGE_LIMIT: Final = 1_000
TERMS_LIMIT: Final = 8
"""Search terms beyond these are ignored: each costs a pass over the candidates."""

AnySelect: TypeAlias = Select[*tuple[Any, ...]]

_sender, _recipient = shared_alias(Wallet), shared_alias(Wallet)
_debit_token, _credit_token = shared_alias(Token), shared_alias(Token)

ORDERINGS: Final[dict[str, InstrumentedAttribute[Any]]] = {
    "id": Transfer.id,
    "tx_id": Transfer.tx_id,
    "amount": Transfer.amount,
    "amount_swapped": Transfer.amount_swapped,
    "wallet": Transfer.sender_id,
    "recipient": Transfer.recipient_id,
    "nonce": Transfer.nonce,
    "passive": Transfer.passive,
    "eon_number": Transfer.eon,
    "complete": Transfer.complete,
    "voided": Transfer.voided,
    "swap": Transfer.swap,
    "cancelled": Transfer.cancelled,
    "time": Transfer.time,
}


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Which transactions, in which order. None does not filter.

    `search` are texts of which each must be part of an address of a party or of its token;
    `ordering` are names of `ORDERINGS`, `-` before one reverses it, unknown ones are ignored.
    """

    tx_id: UUID | None = None
    eon: int | None = None
    nonce: int | None = None
    passive: bool | None = None
    swap: bool | None = None
    complete: bool | None = None
    cancelled: bool | None = None
    voided: bool | None = None
    search: tuple[str, ...] = ()
    ordering: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """A page of the list and the number of all transactions that match."""

    count: int
    results: tuple[TransactionSummary, ...]


def list_transactions(
    session: Session, wanted: TransactionFilter, *, limit: int, offset: int
) -> TransactionPage:
    """Read a page; ties and an absent order are broken by id. `limit` is cut to `PAGE_LIMIT`."""
    conditions = _conditions(session, wanted)
    joined = any(_needs_parties(term) for term in wanted.search)
    counting: AnySelect = select(func.count()).select_from(Transfer)
    count = session.scalar((_with_parties(counting) if joined else counting).where(*conditions))
    if not count or offset >= count:
        return TransactionPage(count or 0, ())
    rows = session.execute(
        _with_parties(_columns())
        .where(*conditions)
        .order_by(*_order(wanted.ordering))
        .limit(min(limit, PAGE_LIMIT))
        .offset(offset)
    )
    return TransactionPage(count, tuple(_summary(row) for row in rows))


def summaries_by_id(session: Session, ids: Collection[int]) -> dict[int, TransactionSummary]:
    """Read some transactions as the list shows them, by id."""
    rows = session.execute(_with_parties(_columns()).where(Transfer.id.in_(ids)))
    return {found.id: found for found in map(_summary, rows)}


def _columns() -> AnySelect:
    return select(
        Transfer,
        _sender.text.label("sender"),
        _debit_token.text.label("debit"),
        _sender.trail_identifier.label("sender_trail"),
        _recipient.text.label("recipient"),
        _credit_token.text.label("credit"),
        _recipient.trail_identifier.label("recipient_trail"),
    )


def _with_parties(statement: AnySelect) -> AnySelect:
    return (
        statement.join(_sender, _sender.id == Transfer.sender_id)
        .join(_recipient, _recipient.id == Transfer.recipient_id)
        .join(_debit_token, _debit_token.id == _sender.token_id)
        .join(_credit_token, _credit_token.id == _recipient.token_id)
    )


def _conditions(session: Session, wanted: TransactionFilter) -> list[ColumnElement[bool]]:
    columns: tuple[tuple[InstrumentedAttribute[Any], Any], ...] = (
        (Transfer.tx_id, wanted.tx_id),
        (Transfer.eon, wanted.eon),
        (Transfer.nonce, wanted.nonce),
        (Transfer.passive, wanted.passive),
        (Transfer.swap, wanted.swap),
        (Transfer.complete, wanted.complete),
        (Transfer.cancelled, wanted.cancelled),
        (Transfer.voided, wanted.voided),
    )
    conditions = [column == value for column, value in columns if value is not None]
    for term in wanted.search[:TERMS_LIMIT]:
        conditions.append(_contains(term) if _needs_parties(term) else _names(session, term))
    return conditions


def _needs_parties(term: str) -> bool:
    """Whether a term is less than an address, so that texts must be searched."""
    try:
        return len(bytes.fromhex(term)) != 20 or len(term) != 40
    except ValueError:
        return True


def _contains(term: str) -> ColumnElement[bool]:
    texts = (_sender.text, _recipient.text, _debit_token.text, _credit_token.text)
    return or_(*(text.icontains(term, autoescape=True) for text in texts))


def _names(session: Session, term: str) -> ColumnElement[bool]:
    """Match a whole address by its wallets' ids, which the indexes of transfers know."""
    address = bytes.fromhex(term)
    token_id = session.scalar(select(Token.id).where(Token.address == address))
    if token_id is not None:
        named = select(Wallet.id).where(or_(Wallet.address == address, Wallet.token_id == token_id))
        return or_(Transfer.sender_id.in_(named), Transfer.recipient_id.in_(named))
    ids = session.scalars(select(Wallet.id).where(Wallet.address == address)).all()
    return or_(Transfer.sender_id.in_(ids), Transfer.recipient_id.in_(ids))


def _order(names: Sequence[str]) -> list[ColumnElement[Any]]:
    order: list[ColumnElement[Any]] = []
    for name in names:
        column = ORDERINGS.get(name.removeprefix("-"))
        if column is not None:
            order.append(column.desc() if name.startswith("-") else column.asc())
    return [*order, Transfer.id.asc()]


def _summary(row: Row[*tuple[Any, ...]]) -> TransactionSummary:
    transfer: Transfer = row[0]
    return TransactionSummary(
        id=transfer.id,
        tx_id=transfer.tx_id,
        amount=transfer.amount,
        amount_swapped=transfer.amount_swapped,
        wallet=WalletReference(row.sender, row.debit, row.sender_trail),
        recipient=WalletReference(row.recipient, row.credit, row.recipient_trail),
        nonce=transfer.nonce,
        passive=transfer.passive,
        eon=transfer.eon,
        complete=transfer.complete,
        cancelled=transfer.cancelled,
        voided=transfer.voided,
        swap=transfer.swap,
        time=transfer.time,
    )
