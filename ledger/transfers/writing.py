"""The rows of a batch of accepted transfers, written and committed in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from crash_points import committed
from ledger.accounts import Account
from ledger.arrays import (
    byte_strings,
    integers,
    optional_byte_strings,
    optional_integers,
)
from ledger.prepared import Prepared
from ledger.transfers.judge import Appended

CHANNEL: Final = "notification"
EVENT: Final = "TRANSFER_CONFIRMATION"

_MARKERS: Final = Prepared(
    "append_markers",
    """
INSERT INTO minimum_available_balance_marker (id, wallet_id, eon, amount, signature)
SELECT * FROM unnest(%(markers)s::bigint[], %(senders)s::bigint[], %(eons)s::bigint[],
                     %(marker_amounts)s::numeric[], %(marker_signatures)s::bytea[])
""",
)
_STATES: Final = Prepared(
    "append_states",
    """
INSERT INTO active_state (id, wallet_id, eon, spent, gained, tx_set_hash, tx_set_index,
                          tx_set_proof_hashes, wallet_signature, operator_signature)
SELECT * FROM unnest(%(states)s::bigint[], %(senders)s::bigint[], %(eons)s::bigint[],
                     %(spent)s::numeric[], %(gained)s::numeric[], %(roots)s::bytea[],
                     %(indexes)s::bigint[], %(proofs)s::bytea[], %(wallet_signatures)s::bytea[],
                     %(operator_signatures)s::bytea[])
""",
)
_TRANSFERS: Final = Prepared(
    "append_transfers",
    """
INSERT INTO transfer (id, tx_id, sender_id, recipient_id, amount, eon, nonce, position,
                      receipt_index, sender_active_state_id, sender_marker_id,
                      passive, appended, processed, complete)
SELECT *, true, true, true, true
FROM unnest(%(transfers)s::bigint[], %(tx_ids)s::uuid[], %(senders)s::bigint[],
            %(recipients)s::bigint[], %(amounts)s::numeric[], %(eons)s::bigint[],
            %(nonces)s::numeric[], %(positions)s::numeric[], %(receipts)s::bigint[],
            %(states)s::bigint[], %(markers)s::bigint[])
""",
)
# The rows exist and are locked. An upsert finds each by its key; an UPDATE that joins the values
# may be planned as a scan of the eon's accounts, as long as statistics call the table small.
_ACCOUNTS: Final = Prepared(
    "update_accounts",
    """
INSERT INTO wallet_eon (wallet_id, eon, spent, receipt_total, receipt_count, entry_count, frontier,
                        last_transfer_id, last_state_id, last_leaf, last_position)
SELECT * FROM unnest(
    %(a_wallets)s::bigint[], %(a_eons)s::bigint[], %(a_spent)s::numeric[],
    %(a_received)s::numeric[], %(a_receipts)s::bigint[], %(a_entries)s::bigint[],
    %(a_frontiers)s::bytea[], %(a_transfers)s::bigint[], %(a_states)s::bigint[],
    %(a_leaves)s::bytea[], %(a_positions)s::numeric[])
ON CONFLICT (wallet_id, eon) DO UPDATE
SET spent = excluded.spent, receipt_total = excluded.receipt_total,
    receipt_count = excluded.receipt_count, entry_count = excluded.entry_count,
    frontier = excluded.frontier, last_transfer_id = excluded.last_transfer_id,
    last_state_id = excluded.last_state_id, last_leaf = excluded.last_leaf,
    last_position = excluded.last_position
""",
)
_NOTIFICATIONS: Final = Prepared(
    "tell_of_transfers",
    f"""
WITH told AS (
    INSERT INTO notification (event, streams, transfer_id)
    SELECT '{EVENT}', ARRAY[told_first, told_second], transfer_id
    FROM unnest(%(first_streams)s::text[], %(second_streams)s::text[], %(transfers)s::bigint[])
         AS named (told_first, told_second, transfer_id)
    RETURNING id
)
SELECT pg_notify('{CHANNEL}', min(id) || '-' || max(id)) FROM told
""",
)
STATEMENTS: Final = (_MARKERS, _STATES, _TRANSFERS, _ACCOUNTS, _NOTIFICATIONS)
_WRITE: Final = "; ".join([*(statement.call for statement in STATEMENTS), "COMMIT"])


def write_and_commit(
    cursor: Any, appended: Sequence[Appended], accounts: Sequence[Account]
) -> None:
    """Write transfers with all that belongs to them, and the accounts they changed; commit."""
    cursor.execute(_WRITE, {**_transfers(appended), **_accounts(accounts)})
    committed()


def _transfers(appended: Sequence[Appended]) -> dict[str, Any]:
    transfers = [entry.transfer for entry in appended]
    return {
        "markers": integers(entry.fresh.marker_id for entry in appended),
        "states": integers(entry.fresh.state_id for entry in appended),
        "transfers": integers(transfer.id for transfer in transfers),
        "tx_ids": "{" + ",".join(str(transfer.tx_id) for transfer in transfers) + "}",
        "senders": integers(transfer.sender.wallet_id for transfer in transfers),
        "recipients": integers(transfer.recipient.wallet_id for transfer in transfers),
        "eons": integers(transfer.eon for transfer in transfers),
        "amounts": integers(transfer.amount for transfer in transfers),
        "nonces": integers(transfer.nonce for transfer in transfers),
        "positions": integers(transfer.position for transfer in transfers),
        "receipts": integers(entry.receipt_index for entry in appended),
        "marker_amounts": integers(entry.request.marker_amount for entry in appended),
        "marker_signatures": byte_strings(entry.request.marker_signature for entry in appended),
        "spent": integers(transfer.spent for transfer in transfers),
        "gained": integers(transfer.gained for transfer in transfers),
        "roots": byte_strings(transfer.tx_set_hash for transfer in transfers),
        "indexes": integers(transfer.tx_set_index for transfer in transfers),
        "proofs": byte_strings(b"".join(transfer.tx_set_proof) for transfer in transfers),
        "wallet_signatures": byte_strings(transfer.wallet_signature for transfer in transfers),
        "operator_signatures": byte_strings(t.operator_signature for t in transfers),
        "first_streams": "{" + ",".join(t.recipient.stream for t in transfers) + "}",
        "second_streams": "{" + ",".join(t.sender.stream for t in transfers) + "}",
    }


def _accounts(accounts: Sequence[Account]) -> dict[str, Any]:
    return {
        "a_wallets": integers(account.wallet_id for account in accounts),
        "a_eons": integers(account.eon for account in accounts),
        "a_spent": integers(account.spent for account in accounts),
        "a_received": integers(account.receipt_total for account in accounts),
        "a_receipts": integers(account.receipt_count for account in accounts),
        "a_entries": integers(account.entry_count for account in accounts),
        "a_frontiers": byte_strings(account.frontier for account in accounts),
        "a_transfers": optional_integers(account.last_transfer_id for account in accounts),
        "a_states": optional_integers(account.last_state_id for account in accounts),
        "a_leaves": optional_byte_strings(account.last_leaf for account in accounts),
        "a_positions": optional_integers(account.last_position for account in accounts),
    }
