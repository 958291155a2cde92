"""The rows of a new order: its states, markers, copies, and the accounts that it occupies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from ledger.accounts import Account
from ledger.arrays import byte_strings, integers
from ledger.orders.requests import OrderRequest
from ledger.orders.writing import (
    Owner,
    StateRow,
    state_digest,
    take_ids,
    write_accounts,
    write_states,
)
from ledger.rules import LedgerRules
from protocol.orders import CLOSED_START, OrderTerms, PlacementStates, Side

CHANNEL: Final = "orders"
"""PostgreSQL's NOTIFY on which whoever matches hears that an order waits."""

_MARKERS: Final = """
INSERT INTO minimum_available_balance_marker (id, wallet_id, eon, amount, signature)
SELECT id, wallet_id, eon, 0, signature
FROM unnest(%(ids)s::bigint[], %(wallets)s::bigint[], %(eons)s::bigint[], %(signatures)s::bytea[])
     AS m (id, wallet_id, eon, signature)
"""
# The time is the commit's, as nearly as a row can know it: matching counts its delay from it.
_COPIES: Final = """
INSERT INTO transfer (id, tx_id, sender_id, recipient_id, amount, eon, nonce, time, swap,
                      sender_active_state_id, recipient_active_state_id,
                      recipient_fulfillment_active_state_id, sender_marker_id, recipient_marker_id,
                      appended, amount_swapped, sell_order, arrival, awaits_match,
                      sender_starting_balance, recipient_starting_balance)
SELECT c.id, %(tx_id)s::uuid, %(sender)s, %(recipient)s, %(amount)s, c.eon, %(nonce)s,
       clock_timestamp(), true, c.debit, c.credit, c.fulfilment, c.debit_marker, c.credit_marker,
       c.id = %(arrival)s, %(wanted)s, %(sells)s, %(arrival)s, c.id = %(arrival)s, %(amount)s, 0
FROM unnest(%(ids)s::bigint[], %(eons)s::bigint[], %(debits)s::bigint[], %(credits)s::bigint[],
            %(fulfilments)s::bigint[], %(debit_markers)s::bigint[], %(credit_markers)s::bigint[])
     AS c (id, eon, debit, credit, fulfilment, debit_marker, credit_marker)
"""
_WAKE: Final = f"SELECT pg_notify('{CHANNEL}', '')"


@dataclass(frozen=True, slots=True)
class OrderRows:
    """An accepted order: pairs hold the debit wallet's part first, then the credit wallet's."""

    request: OrderRequest
    tx_id: UUID
    owners: tuple[Owner, Owner]
    states: PlacementStates
    accounts: tuple[Account, Account]
    before: tuple[Side, Side]
    terms: OrderTerms


def store_order(cursor: Any, rules: LedgerRules, order: OrderRows) -> int:
    """Store an order, countersign its current eon, occupy both accounts; return its first id."""
    count = len(order.request.debit_signatures)
    copy_ids = take_ids(cursor, "transfer", count)
    state_ids = take_ids(cursor, "active_state", 3 * count)
    marker_ids = take_ids(cursor, "minimum_available_balance_marker", 2 * count)
    write_states(cursor, _states(rules, order, state_ids))
    _write_markers(cursor, order, marker_ids)
    request, (debit, credit) = order.request, order.owners
    cursor.execute(
        _COPIES,
        {
            "tx_id": str(order.tx_id),
            "sender": debit.wallet_id,
            "recipient": credit.wallet_id,
            "amount": request.amount,
            "wanted": request.amount_swapped,
            "sells": request.sells,
            "nonce": request.nonce,
            "arrival": copy_ids[0],
            "ids": integers(copy_ids),
            "eons": integers(range(request.eon, request.eon + count)),
            "debits": integers(state_ids[:count]),
            "credits": integers(state_ids[count : 2 * count]),
            "fulfilments": integers(state_ids[2 * count :]),
            "debit_markers": integers(marker_ids[:count]),
            "credit_markers": integers(marker_ids[count:]),
        },
    )
    side, other = order.accounts
    for account, state_id, before in (
        (side, state_ids[0], order.before[0]),
        (other, state_ids[count], order.before[1]),
    ):
        account.frontier = before.set_before.to_bytes()
        account.entry_count = before.set_before.count + 1
        account.last_transfer_id = account.open_order_id = copy_ids[0]
        account.last_state_id = state_id
    # As the leaves are hashed once something follows: that is after the order has ended.
    side.last_leaf = order.terms.leaf(order.before[0].start)
    other.last_leaf = order.terms.leaf(CLOSED_START)
    side.spent, side.gained = order.states.debit[0].spent, side.gained + request.amount
    side.reserved = request.amount
    write_accounts(cursor, order.accounts)
    cursor.execute(_WAKE)
    return copy_ids[0]


def _states(rules: LedgerRules, order: OrderRows, ids: list[int]) -> list[StateRow]:
    """Debit, credit and fulfilment states, each list by eon; the first of both is countersigned."""
    request = order.request
    rows: list[StateRow] = []
    for owner, states, signatures, before, signed in (
        (order.owners[0], order.states.debit, request.debit_signatures, order.before[0], True),
        (order.owners[1], order.states.credit, request.credit_signatures, order.before[1], True),
        (
            order.owners[1],
            order.states.fulfilment,
            request.fulfilment_signatures,
            order.before[1],
            False,
        ),
    ):
        for later, (state, signature) in enumerate(zip(states, signatures, strict=True)):
            countersigned = None
            if signed and later == 0:
                countersigned = rules.operator.sign(state_digest(rules, owner, state))
            rows.append(
                StateRow(
                    ids[len(rows)],
                    owner.wallet_id,
                    state,
                    signature,
                    countersigned,
                    0 if later else before.set_before.count,
                    () if later else before.set_before.path_with(),
                )
            )
    return rows


def _write_markers(cursor: Any, order: OrderRows, ids: list[int]) -> None:
    request, count = order.request, len(order.request.debit_signatures)
    debit, credit = order.owners
    cursor.execute(
        _MARKERS,
        {
            "ids": integers(ids),
            "wallets": integers([debit.wallet_id] * count + [credit.wallet_id] * count),
            "eons": integers([*range(request.eon, request.eon + count)] * 2),
            "signatures": byte_strings(
                [*request.debit_marker_signatures, *request.credit_marker_signatures]
            ),
        },
    )
