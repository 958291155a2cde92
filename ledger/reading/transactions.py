"""Transactions in full: a constant number of queries for any number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.orm import Session

from ledger.proofs import receipt_proofs
from ledger.reading.states import signed_states
from ledger.reading.values import (
    DeliveryProof,
    SignedState,
    Transaction,
    WalletProof,
    WalletReference,
)
from ledger.reading.wallet_proofs import wallet_proofs
from models import Token, Transfer, Wallet
from models.aliases import shared_alias

_STATES: Final = (
    "sender_active_state",
    "recipient_active_state",
    "recipient_fulfillment_active_state",
    "recipient_finalization_active_state",
    "sender_cancellation_active_state",
    "recipient_cancellation_active_state",
)
_PLAIN: Final = (
    "id",
    "tx_id",
    "amount",
    "amount_swapped",
    "nonce",
    "passive",
    "position",
    "sender_starting_balance",
    "recipient_starting_balance",
    "eon",
    "processed",
    "complete",
    "voided",
    "cancelled",
    "appended",
    "swap",
    "sell_order",
    "matched_out",
    "matched_in",
    "time",
)
_sender, _recipient = shared_alias(Wallet), shared_alias(Wallet)
_debit_token, _credit_token = shared_alias(Token), shared_alias(Token)

_Loaded = Row[Any]


def find_transaction(session: Session, transfer_id: int) -> Transaction | None:
    """Read one transaction with its delivery proof, as soon as there is one."""
    rows = _load(session, Transfer.id == transfer_id)
    proven = {row.recipient_id for row in rows}
    return next(iter(_compose(session, rows, proven)), None)


def transactions_by_id(session: Session, ids: Iterable[int]) -> dict[int, Transaction]:
    """Read transactions as they stand now, without proofs, for those who are notified of them."""
    rows = _load(session, Transfer.id.in_(set(ids)))
    states = _states_of(session, rows)
    return {row.id: _transaction(row, states, None) for row in rows}


def transactions_of(
    session: Session,
    wallet_ids: Iterable[int],
    eon: int,
    *,
    from_id: int = 0,
) -> dict[int, tuple[Transaction, ...]]:
    """Read every transaction of wallets in `eon`, by wallet id, each list in the order of ids.

    Nothing is filtered by status: wallets rebuild their sets from the list. A sender gets the
    recipient's leaf with the delivery proof.
    """
    wallets = set(wallet_ids)
    rows = _load(
        session,
        (Transfer.eon == eon)
        & (Transfer.id >= from_id)
        & or_(Transfer.sender_id.in_(wallets), Transfer.recipient_id.in_(wallets)),
    )
    shown_to_sender = {row.recipient_id for row in rows if row.sender_id in wallets}
    found: dict[int, list[Transaction]] = defaultdict(list)
    composed = _compose(session, rows, shown_to_sender)
    for row, transaction in zip(rows, composed, strict=True):
        if row.sender_id in wallets:
            found[row.sender_id].append(transaction)
        if row.recipient_id in wallets:
            found[row.recipient_id].append(_for_recipient(transaction))
    return {wallet_id: tuple(listed) for wallet_id, listed in found.items()}


def _load(session: Session, condition: ColumnElement[bool]) -> Sequence[_Loaded]:
    return session.execute(_columns().where(condition).order_by(Transfer.id)).all()


def _columns() -> Select[Any]:
    return (
        select(
            *(getattr(Transfer, name) for name in _PLAIN),
            *(getattr(Transfer, f"{name}_id") for name in _STATES),
            Transfer.freeze_signature,
            Transfer.sender_id,
            Transfer.recipient_id,
            _sender.text.label("sender_text"),
            _sender.trail_identifier.label("sender_trail"),
            _debit_token.text.label("debit_text"),
            _recipient.text.label("recipient_text"),
            _recipient.trail_identifier.label("recipient_trail"),
            _credit_token.text.label("credit_text"),
        )
        .join(_sender, _sender.id == Transfer.sender_id)
        .join(_recipient, _recipient.id == Transfer.recipient_id)
        .join(_debit_token, _debit_token.id == _sender.token_id)
        .join(_credit_token, _credit_token.id == _recipient.token_id)
    )


def _states_of(session: Session, rows: Sequence[_Loaded]) -> dict[int, SignedState]:
    ids = (getattr(row, f"{name}_id") for row in rows for name in _STATES)
    return signed_states(session, ids)


def _compose(session: Session, rows: Sequence[_Loaded], proven: set[int]) -> list[Transaction]:
    """Join rows, states and proofs; `proven` are recipients whose leaf is wanted as well."""
    states = _states_of(session, rows)
    receipts = receipt_proofs(session, [row.id for row in rows])
    leaves: dict[tuple[int, int], WalletProof] = {}
    for eon in {row.eon for row in rows if row.id in receipts}:
        wanted = {row.recipient_id for row in rows if row.eon == eon and row.id in receipts}
        for wallet_id, proof in wallet_proofs(session, wanted & proven, eon + 1).items():
            leaves[wallet_id, eon] = proof
    transactions = []
    for row in rows:
        receipt = receipts.get(row.id)
        delivery = None
        if receipt is not None:
            leaf = leaves.get((row.recipient_id, row.eon))
            delivery = DeliveryProof(leaf, receipt.hashes, receipt.index, receipt.values)
        transactions.append(_transaction(row, states, delivery))
    return transactions


def _transaction(
    row: _Loaded, states: Mapping[int, SignedState], delivery: DeliveryProof | None
) -> Transaction:
    members: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    for name in _STATES:
        state_id = getattr(row, f"{name}_id")
        members[name] = None if state_id is None else states[state_id]
    return Transaction(
        **members,
        wallet=WalletReference(row.sender_text, row.debit_text, row.sender_trail),
        recipient=WalletReference(row.recipient_text, row.credit_text, row.recipient_trail),
        freeze_signature=None if row.freeze_signature is None else bytes(row.freeze_signature),
        delivery_proof=delivery,
    )


def _for_recipient(transaction: Transaction) -> Transaction:
    delivery = transaction.delivery_proof
    if delivery is None or delivery.wallet_proof is None:
        return transaction
    return replace(transaction, delivery_proof=replace(delivery, wallet_proof=None))
