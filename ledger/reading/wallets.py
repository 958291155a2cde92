"""Wallets: who is registered, and the whole state of a wallet in an eon."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.reading.movements import deposits_of, requests_of, withdrawals_of
from ledger.reading.transactions import transactions_of
from ledger.reading.values import Registration, WalletState
from ledger.reading.wallet_proofs import wallet_proofs
from models import Token, Wallet
from protocol.address import Address


def find_wallet_id(session: Session, token: Address, address: Address) -> int | None:
    """Find a wallet, registered or admitted."""
    return session.scalar(
        select(Wallet.id)
        .join(Token, Token.id == Wallet.token_id)
        .where(Token.address == token, Wallet.address == address)
    )


def find_registration(session: Session, token: Address, address: Address) -> Registration | None:
    """Find a wallet's admission, also while it waits to be countersigned."""
    wallet_id = find_wallet_id(session, token, address)
    return None if wallet_id is None else registrations(session, [wallet_id])[wallet_id]


def registrations(session: Session, wallet_ids: Iterable[int]) -> dict[int, Registration]:
    """Read the admissions of wallets by id."""
    rows = session.execute(
        select(
            Wallet.id,
            Wallet.registration_eon,
            Wallet.wallet_authorization,
            Wallet.operator_authorization,
            Wallet.trail_identifier,
        ).where(Wallet.id.in_(set(wallet_ids)))
    )
    return {
        wallet_id: Registration(
            eon=eon,
            authorization=bytes(authorization),
            operator_authorization=None if operator is None else bytes(operator),
            trail=trail,
        )
        for wallet_id, eon, authorization, operator, trail in rows
    }


def wallet_state(
    session: Session,
    token: Address,
    address: Address,
    eon: int,
    *,
    from_transfer_id: int = 0,
) -> WalletState | None:
    """Read a wallet's state in `eon`, None for an unknown wallet.

    An eon of the future, or without anything, has an empty state. Transactions begin with the id
    `from_transfer_id`.
    """
    wallet_id = find_wallet_id(session, token, address)
    if wallet_id is None:
        return None
    states = wallet_states(session, [wallet_id], eon, from_transfer_id=from_transfer_id)
    return states[wallet_id]


def wallet_states(
    session: Session,
    wallet_ids: Iterable[int],
    eon: int,
    *,
    from_transfer_id: int = 0,
) -> dict[int, WalletState]:
    """Read the states of many wallets in `eon`, by wallet id, in a constant number of queries.

    The caller bounds the batch, and reads within one snapshot (`REPEATABLE READ`) where the parts
    of a state must agree under load.
    """
    ids = set(wallet_ids)
    known = registrations(session, ids)
    proofs = wallet_proofs(session, ids, eon)
    transactions = transactions_of(session, ids, eon, from_id=from_transfer_id)
    deposits = deposits_of(session, ids, eon)
    requests = requests_of(session, ids, eon)
    withdrawals = withdrawals_of(session, ids, eon)
    return {
        wallet_id: WalletState(
            registration=registration,
            proof=proofs.get(wallet_id),
            transactions=transactions.get(wallet_id, ()),
            deposits=deposits.get(wallet_id, ()),
            withdrawal_requests=requests.get(wallet_id, ()),
            withdrawals=withdrawals.get(wallet_id, ()),
        )
        for wallet_id, registration in known.items()
    }
