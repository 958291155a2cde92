"""The parts of the wire that are written elsewhere than in the API: into the outbox and hooks.

Amounts are decimal strings, digests and signatures hexadecimal digits without `0x`, times whole
Unix seconds. Wallets refuse unknown members: nothing is added here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ledger.reading.values import TransactionSummary, WalletReference
from models import Deposit, Wallet, Withdrawal, WithdrawalRequest


def seconds(time: datetime) -> int:
    """Whole Unix seconds."""
    return int(time.timestamp())


def admission_payload(wallet: Wallet) -> dict[str, Any]:
    """The Admission object of an admitted wallet."""
    operator = wallet.operator_authorization
    return {
        "eon_number": wallet.registration_eon,
        "authorization": bytes(wallet.wallet_authorization).hex(),
        "operator_authorization": None if operator is None else bytes(operator).hex(),
        "trail_identifier": wallet.trail_identifier,
    }


def _movement(row: Deposit | WithdrawalRequest | Withdrawal) -> dict[str, Any]:
    return {
        "txid": bytes(row.transaction_hash).hex(),
        "block": row.block,
        "eon_number": row.eon,
        "amount": str(row.amount),
        "time": seconds(row.time),
    }


def deposit_payload(deposit: Deposit) -> dict[str, Any]:
    """The Deposit object."""
    return _movement(deposit)


def request_payload(request: WithdrawalRequest) -> dict[str, Any]:
    """The WithdrawalRequest object."""
    return _movement(request) | {"slashed": request.status == "slashed"}


def withdrawal_payload(withdrawal: Withdrawal, request: WithdrawalRequest) -> dict[str, Any]:
    """The Withdrawal object with the request that it paid."""
    return _movement(withdrawal) | {"request": request_payload(request)}


def concise_transaction(fact: TransactionSummary) -> dict[str, Any]:
    """The ConciseTransaction object."""
    return {
        "wallet": _concise_party(fact.wallet),
        "recipient": _concise_party(fact.recipient),
        "time": seconds(fact.time),
        "id": fact.id,
        "tx_id": str(fact.tx_id),
        "eon_number": fact.eon,
        "swap": fact.swap,
        "passive": fact.passive,
        "complete": fact.complete,
        "cancelled": fact.cancelled,
        "voided": fact.voided,
        "nonce": str(fact.nonce),
        "amount": str(fact.amount),
        "amount_swapped": None if fact.amount_swapped is None else str(fact.amount_swapped),
    }


def _concise_party(fact: WalletReference) -> dict[str, Any]:
    return {"address": f"0x{fact.address_text}", "token": f"0x{fact.token_text}"}
