"""Transaction sets with orders among their entries, as they stand at the end of an eon.

An order's leaf depends on its fate and on whether anything follows it, so the set of a wallet that
trades is read from its entries whenever somebody asks. Transfers that their recipient signed for
stand in both sets; this operator reads them but makes none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, TypeAlias

from sqlalchemy import text
from sqlalchemy.orm import Session

from protocol.orders import OrderTerms, credit_start, debit_start
from protocol.transfers import LAST_POSITION, tagged_transfer_leaf, transfer_leaf

SetKey: TypeAlias = tuple[int, int]
"""Wallet id and eon."""

_ENTRIES: Final = text("""
SELECT n.wallet_id, n.eon, x.id, x.sender_id = n.wallet_id AS is_debit, x.swap, x.amount,
       x.amount_swapped, x.nonce, x.position, x.id <> x.arrival AS carried,
       x.sender_starting_balance, x.recipient_starting_balance, COALESCE(a.allotment, 0) AS started,
       x.sender_cancellation_active_state_id IS NOT NULL AS cancelled,
       x.recipient_finalization_active_state_id IS NOT NULL
         OR f.operator_signature IS NOT NULL AS fulfilled,
       x.passive, w.address AS sender, r.address AS recipient,
       r.trail_identifier AS recipient_trail,
       dt.address AS sell_token, ct.address AS buy_token
FROM unnest(:wallets ::bigint[], :eons ::bigint[]) AS n (wallet_id, eon)
JOIN LATERAL (
    SELECT t.*, t.sender_active_state_id AS state_id FROM transfer t
    WHERE t.sender_id = n.wallet_id AND t.eon = n.eon AND t.appended AND NOT t.voided
    UNION ALL
    SELECT t.*, t.recipient_active_state_id FROM transfer t
    WHERE t.recipient_id = n.wallet_id AND t.eon = n.eon AND t.swap AND t.appended AND NOT t.voided
    UNION ALL
    SELECT t.*, t.recipient_active_state_id FROM transfer t
    WHERE t.recipient_id = n.wallet_id AND t.eon = n.eon AND NOT t.passive AND NOT t.swap
      AND t.appended AND NOT t.voided
) AS x ON true
JOIN active_state s ON s.id = x.state_id
JOIN wallet w ON w.id = x.sender_id JOIN token dt ON dt.id = w.token_id
JOIN wallet r ON r.id = x.recipient_id JOIN token ct ON ct.id = r.token_id
LEFT JOIN active_state f ON f.id = x.recipient_fulfillment_active_state_id
LEFT JOIN wallet_eon a ON a.wallet_id = n.wallet_id AND a.eon = n.eon
ORDER BY n.wallet_id, n.eon, s.tx_set_index
""")


@dataclass(frozen=True, slots=True)
class SetEntry:
    """An entry of a set: its transfer or order, and the 32 bytes of its leaf.

    `start` is the balance in an order's leaf, None for a transfer.
    """

    transfer_id: int
    leaf: bytes
    start: int | None = None


def read_sets(session: Session, keys: Iterable[SetKey]) -> dict[SetKey, list[SetEntry]]:
    """Read the sets of wallets in eons, each in the order of its leaves; empty ones are absent."""
    wanted = sorted(set(keys))
    arguments = {
        "wallets": [wallet_id for wallet_id, _ in wanted],
        "eons": [eon for _, eon in wanted],
    }
    rows = session.execute(_ENTRIES, arguments).all()
    sets: dict[SetKey, list[SetEntry]] = defaultdict(list)
    for key, entries in groupby(rows, key=lambda row: (row.wallet_id, row.eon)):
        sets[key] = _leaves(list(entries))
    return dict(sets)


def _leaves(rows: Sequence[Any]) -> list[SetEntry]:
    last = len(rows) - 1
    return [_entry(row, is_last=place == last) for place, row in enumerate(rows)]


def _entry(row: Any, *, is_last: bool) -> SetEntry:
    """Hash an entry as its place demands: the newest leaf differs from older ones."""
    if not row.swap:
        return SetEntry(row.id, _transfer_leaf(row, is_last=is_last))
    start = _start(row, is_last=is_last)
    return SetEntry(row.id, _terms(row).leaf(start), start)


def _transfer_leaf(row: Any, *, is_last: bool) -> bytes:
    if row.passive:
        return transfer_leaf(
            counterparty=bytes(row.recipient),
            amount=row.amount,
            recipient_trail=row.recipient_trail,
            position=LAST_POSITION if is_last else row.position,
            nonce=row.nonce,
        )
    return tagged_transfer_leaf(
        counterparty=bytes(row.recipient if row.is_debit else row.sender),
        amount=row.amount,
        recipient_trail=row.recipient_trail,
        tag=row.nonce,
    )


def _start(row: Any, *, is_last: bool) -> int:
    if row.is_debit:
        return debit_start(
            row.started,
            fixed_start=row.sender_starting_balance if row.carried else None,
            cancelled=row.cancelled,
            is_last=is_last,
        )
    return credit_start(
        row.started,
        fixed_start=row.recipient_starting_balance if row.carried else None,
        fulfilled=row.fulfilled,
        cancelled=row.cancelled,
        is_last=is_last,
    )


def _terms(row: Any) -> OrderTerms:
    """The order in a row that names its tokens, amounts, nonce and the recipient's trail."""
    return OrderTerms(
        sell_token=bytes(row.sell_token),
        buy_token=bytes(row.buy_token),
        recipient_trail=row.recipient_trail,
        amount=row.amount,
        amount_swapped=row.amount_swapped,
        nonce=row.nonce,
    )
