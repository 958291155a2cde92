"""A wallet's state in an eon as the wire's object."""

from __future__ import annotations

from typing import Any

from api.rendering.proofs import registration, wallet_proof
from api.rendering.transactions import transaction
from api.replies import to_json
from ledger.payloads import seconds
from ledger.reading.values import DepositFact, RequestFact, WalletState, WithdrawalFact


def _movement(fact: DepositFact | RequestFact | WithdrawalFact) -> dict[str, Any]:
    return {
        "txid": fact.transaction_hash.hex(),
        "block": fact.block,
        "eon_number": fact.eon,
        "amount": str(fact.amount),
        "time": seconds(fact.time),
    }


def _request(fact: RequestFact) -> dict[str, Any]:
    return _movement(fact) | {"slashed": fact.slashed}


def render_wallet_state(fact: WalletState) -> str:
    """Write the WalletState object; it can be long, so call it outside of the event loop."""
    return to_json(
        {
            "registration": registration(fact.registration),
            "merkle_proof": wallet_proof(fact.proof),
            "transactions": [transaction(one) for one in fact.transactions],
            "deposits": [_movement(one) for one in fact.deposits],
            "withdrawal_requests": [_request(one) for one in fact.withdrawal_requests],
            "withdrawals": [
                _movement(one) | {"request": _request(one.request)} for one in fact.withdrawals
            ],
        }
    )
