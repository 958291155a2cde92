"""The shapes of the recorded answers."""

from protocol.accumulator import Operation
from protocol.signing import format_signature
from protocol.vectors.comparison import Computed
from protocol.vectors.inputs import hexadecimal, joined
from protocol.vectors.scenario.checkpoints import Checkpoints
from protocol.vectors.scenario.network import Network
from protocol.vectors.scenario.records import Row, SignedState, Wallet

_TIME = "<time>"
_STATES_IN_AUDIT = (
    "sender_active_state",
    "recipient_active_state",
    "recipient_fulfillment_active_state",
    "recipient_finalization_active_state",
    "sender_cancellation_active_state",
    "sender_finalization_active_state",
    "recipient_cancellation_active_state",
)


def registration(wallet: Wallet) -> Computed:
    """A wallet's registration."""
    countersigned = wallet.operator_authorization
    return {
        "eon_number": wallet.eon,
        "authorization": format_signature(wallet.authorization),
        "operator_authorization": None
        if countersigned is None
        else format_signature(countersigned),
        "trail_identifier": None if countersigned is None else wallet.trail,
    }


def state(signed: SignedState | None) -> Computed:
    """A signed state as transactions carry it."""
    if signed is None:
        return None
    return {
        "wallet_signature": format_signature(signed.wallet_signature),
        "operator_signature": _signature(signed.operator_signature),
        "updated_spendings": str(signed.spent),
        "updated_gains": str(signed.gained),
        "tx_set_hash": signed.root.hex(),
        "tx_set_proof": [hexadecimal(sibling) for sibling in signed.path],
        "tx_set_index": signed.index,
    }


def recorded_state(signed: SignedState, network: Network) -> Computed:
    """A signed state as the recorder read it from the database."""
    return {
        "wallet": signed.wallet.text,
        "token": signed.wallet.token.text,
        "trail_identifier": signed.wallet.trail,
        "eon_number": signed.eon,
        "tx_set_hash": signed.root.hex(),
        "updated_spendings": str(signed.spent),
        "updated_gains": str(signed.gained),
        "checksum": signed.digest(network.contract).hex(),
        "wallet_signature": format_signature(signed.wallet_signature),
        "operator_signature": _signature(signed.operator_signature),
        "tx_set_proof_hashes": joined(signed.path),
        "tx_set_index": signed.index,
    }


def party(wallet: Wallet) -> Computed:
    """A wallet inside a transaction."""
    return {
        "address": f"0x{wallet.text}",
        "token": f"0x{wallet.token.text}",
        "trail_identifier": wallet.trail,
    }


def matched_amounts(row: Row) -> Computed:
    """What an order traded in all eons."""
    return {"matched_in": str(row.total_in()), "matched_out": str(row.total_out())}


def accepted_transfer(row: Row) -> Computed:
    """The answer to a transfer."""
    return {
        "id": row.number,
        "wallet": party(row.sender),
        "amount": str(row.amount),
        "time": _TIME,
        "eon_number": row.eon,
        "sender_active_state": state(row.states["sender_active_state"]),
        "recipient": party(row.recipient),
        "nonce": str(row.nonce),
        "position": str(row.position),
        "tx_id": transaction_id(row),
    }


def accepted_order(row: Row) -> Computed:
    """The answer to an order: its row of the current eon."""
    states: dict[str, Computed] = {
        name: state(row.states[name])
        for name in (
            "sender_active_state",
            "recipient_active_state",
            "recipient_fulfillment_active_state",
        )
    }
    return {
        **states,
        "id": row.number,
        "wallet": party(row.sender),
        "amount": str(row.amount),
        "time": _TIME,
        "eon_number": row.eon,
        "complete": row.complete,
        "recipient": party(row.recipient),
        "nonce": str(row.nonce),
        "amount_swapped": _wish(row),
        "tx_id": transaction_id(row),
        "matched_amounts": matched_amounts(row),
        "sell_order": row.sells,
    }


def transaction(
    row: Row, viewer: Wallet | None, network: Network, checkpoints: Checkpoints
) -> Computed:
    """A transaction in an audit, seen from one wallet or from none."""
    is_order = row.terms is not None
    states: dict[str, Computed] = {name: state(row.states.get(name)) for name in _STATES_IN_AUDIT}
    return {
        **states,
        "id": row.number,
        "tx_id": transaction_id(row),
        "amount": str(row.amount),
        "amount_swapped": _wish(row),
        "wallet": party(row.sender),
        "recipient": party(row.recipient),
        "nonce": str(row.nonce),
        "passive": not is_order,
        "position": None if is_order else str(row.position),
        "swap_freezing_signature": _signature(row.freezing_signature),
        "sender_starting_balance": str(row.amount) if is_order else None,
        "recipient_starting_balance": "0" if is_order else None,
        "delivery_proof": checkpoints.delivery_proof(row, viewer),
        "eon_number": row.eon,
        "processed": row.processed,
        "complete": row.complete,
        "voided": row.voided,
        "cancelled": row.frozen,
        "appended": row.appended,
        "swap": is_order,
        "sell_order": row.sells,
        "matched_amounts": matched_amounts(row) if is_order else None,
        "time": _TIME,
    }


def wallet_state(wallet: Wallet, eon: int, network: Network, checkpoints: Checkpoints) -> Computed:
    """Everything of a wallet in one eon."""
    rows = [r for r in network.rows if r.eon == eon and wallet in (r.sender, r.recipient)]
    return {
        "registration": registration(wallet),
        "merkle_proof": checkpoints.allotment_proof(wallet, eon),
        "transactions": [transaction(row, wallet, network, checkpoints) for row in rows],
        "deposits": [_chain_event(network, *event) for event in _events(network, wallet, eon, 0)],
        "withdrawal_requests": [
            {**_chain_event(network, *event), "slashed": False}
            for event in _events(network, wallet, eon, 1)
        ],
        "withdrawals": [],
    }


def transaction_id(row: Row) -> str:
    """The placeholder that the recorder put for a transaction's random id."""
    return f"<tx_id:{row.transaction}>"


def _events(network: Network, wallet: Wallet, eon: int, operation: int) -> list[tuple[int, int]]:
    return [
        (when, amount)
        for kind, when, who, amount in network.events
        if kind is Operation(operation) and who is wallet and when == eon
    ]


def _chain_event(network: Network, eon: int, amount: int) -> dict[str, Computed]:
    return {
        "txid": "<txid>",
        "block": "<block>",
        "eon_number": eon,
        "amount": str(amount),
        "time": _TIME,
    }


def _signature(signature: bytes | None) -> str | None:
    return None if signature is None else format_signature(signature)


def _wish(row: Row) -> str | None:
    return None if row.terms is None else str(row.terms.amount_swapped)
