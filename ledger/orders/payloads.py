"""What the wire says of an order that has just ended, as answer and as notification."""

from __future__ import annotations

from typing import Any

from ledger.orders.copies import OrderCopy
from ledger.orders.writing import StateRow


def state_payload(row: StateRow) -> dict[str, Any]:
    """The ActiveState object of a state that was just stored."""
    signature = row.operator_signature
    return {
        "wallet_signature": row.wallet_signature.hex(),
        "operator_signature": None if signature is None else signature.hex(),
        "updated_spendings": str(row.state.spent),
        "updated_gains": str(row.state.gained),
        "tx_set_hash": row.state.tx_set_root.hex(),
        "tx_set_proof": [f"0x{sibling.hex()}" for sibling in row.path],
        "tx_set_index": row.index,
    }


def freeze_payload(copy: OrderCopy) -> dict[str, Any]:
    """The answer to a freeze: matched amounts that will not move any more."""
    matched = {"matched_in": str(copy.matched_in), "matched_out": str(copy.matched_out)}
    return {"id": copy.id, "tx_id": str(copy.tx_id), "matched_amounts": matched}


def cancel_payload(copy: OrderCopy, debit: StateRow, credit: StateRow) -> dict[str, Any]:
    """The answer to a cancellation, and its event."""
    return {
        "id": copy.id,
        "tx_id": str(copy.tx_id),
        "sender_cancellation_active_state": state_payload(debit),
        "recipient_cancellation_active_state": state_payload(credit),
    }


def finalise_payload(copy: OrderCopy, credit: StateRow) -> dict[str, Any]:
    """The answer to a finalisation, and its event."""
    return {
        "id": copy.id,
        "tx_id": str(copy.tx_id),
        "recipient_finalization_active_state": state_payload(credit),
    }
