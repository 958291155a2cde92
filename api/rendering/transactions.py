"""Transactions as the wire's objects: in full, and as lines of the list."""

from __future__ import annotations

from typing import Any

from api.rendering.proofs import active_state, decimal, delivery_proof
from api.replies import to_json
from ledger.payloads import seconds
from ledger.reading.values import Transaction, WalletReference


def party(fact: WalletReference) -> dict[str, Any]:
    """The WalletRef object."""
    return {
        "address": f"0x{fact.address_text}",
        "token": f"0x{fact.token_text}",
        "trail_identifier": fact.trail,
    }


def transaction(fact: Transaction) -> dict[str, Any]:
    """The Transaction object.

    A transfer carries null for all that only orders have: wallets take any value of
    `amount_swapped` for the sign of an order.
    """
    freeze = fact.freeze_signature
    matched = {"matched_in": str(fact.matched_in), "matched_out": str(fact.matched_out)}
    return {
        "id": fact.id,
        "tx_id": str(fact.tx_id),
        "amount": str(fact.amount),
        "amount_swapped": decimal(fact.amount_swapped),
        "wallet": party(fact.wallet),
        "recipient": party(fact.recipient),
        "nonce": str(fact.nonce),
        "passive": fact.passive,
        "position": decimal(fact.position),
        "sender_active_state": active_state(fact.sender_active_state),
        "recipient_active_state": active_state(fact.recipient_active_state),
        "recipient_fulfillment_active_state": active_state(fact.recipient_fulfillment_active_state),
        "recipient_finalization_active_state": active_state(
            fact.recipient_finalization_active_state
        ),
        "swap_freezing_signature": None if freeze is None else freeze.hex(),
        "sender_cancellation_active_state": active_state(fact.sender_cancellation_active_state),
        "sender_finalization_active_state": None,
        "recipient_cancellation_active_state": active_state(
            fact.recipient_cancellation_active_state
        ),
        "sender_starting_balance": decimal(fact.sender_starting_balance),
        "recipient_starting_balance": decimal(fact.recipient_starting_balance),
        "delivery_proof": delivery_proof(fact.delivery_proof),
        "eon_number": fact.eon,
        "processed": fact.processed,
        "complete": fact.complete,
        "voided": fact.voided,
        "cancelled": fact.cancelled,
        "appended": fact.appended,
        "swap": fact.swap,
        "sell_order": fact.sell_order,
        "matched_amounts": matched if fact.swap else None,
        "time": seconds(fact.time),
    }


def render_transaction(fact: Transaction) -> str:
    """Write the Transaction object."""
    return to_json(transaction(fact))
