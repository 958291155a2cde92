"""The rows of a new order: its states, markers, copies, and the accounts that it occupies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from ledger.accounts import Account
from ledger.arrays import byte_strings, integers
from ledger.notifications import CHANNEL as NOTIFICATIONS
from ledger.orders.moment import MOMENT, Moment
from ledger.orders.requests import OrderRequest
from ledger.orders.writing import (
    ACCOUNTS,
    STATES,
    Owner,
    Script,
    StateRow,
    state_digest,
    write_accounts,
    write_states,
)
from ledger.prepared import Preparations, Prepared
from ledger.rules import LedgerRules
from protocol.orders import CLOSED_START, OrderTerms, PlacementStates, Side

CONFIRMED: Final = "SWAP_CONFIRMATION"
INCOMING: Final = "INCOMING_SWAP"
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
SELECT c.id, %(tx_id)s::uuid, %(sender)s::bigint, %(recipient)s::bigint, %(amount)s::numeric,
       c.eon, %(nonce)s::numeric, clock_timestamp(), true,
       c.debit, c.credit, c.fulfilment, c.debit_marker, c.credit_marker,
       c.id = %(arrival)s::bigint, %(wanted)s::numeric, %(sells)s::bool, %(arrival)s::bigint,
       c.id = %(arrival)s::bigint, %(amount)s::numeric, 0
FROM unnest(%(ids)s::bigint[], %(eons)s::bigint[], %(debits)s::bigint[], %(credits)s::bigint[],
            %(fulfilments)s::bigint[], %(debit_markers)s::bigint[], %(credit_markers)s::bigint[])
     AS c (id, eon, debit, credit, fulfilment, debit_marker, credit_marker)
"""
_TELL: Final = f"""
WITH told AS (
    INSERT INTO notification (event, streams, transfer_id)
    VALUES ('{CONFIRMED}', %(wallets)s::text[], %(id)s::bigint),
           ('{INCOMING}', ARRAY[%(pair)s::text], %(id)s::bigint)
    RETURNING id
)
SELECT pg_notify('{NOTIFICATIONS}', min(id) || '-' || max(id)) FROM told
"""
_WAKE: Final = f"SELECT pg_notify('{CHANNEL}', '')"

_PREPARED: Final = {
    statement: Prepared(name, statement)
    for name, statement in (
        ("order_states", STATES),
        ("order_markers", _MARKERS),
        ("order_copies", _COPIES),
        ("order_accounts", ACCOUNTS),
        ("tell_of_order", _TELL),
    )
}
PREPARATIONS: Final = Preparations((MOMENT, *_PREPARED.values()))
"""What a connection plans once, before it places orders."""


@dataclass(frozen=True, slots=True)
class OrderRows:
    """An accepted order: pairs hold the debit wallet's part first, then the credit wallet's.

    `streams` are those of the credit wallet, the debit wallet and the pair.
    """

    request: OrderRequest
    tx_id: UUID
    owners: tuple[Owner, Owner]
    states: PlacementStates
    accounts: tuple[Account, Account]
    before: tuple[Side, Side]
    terms: OrderTerms
    streams: tuple[str, str, str]


def store_order(cursor: Any, rules: LedgerRules, order: OrderRows, moment: Moment) -> int:
    """Store an order, countersign its current eon, occupy both accounts, tell of it.

    Returns the id of its first copy.
    """
    script = Script(cursor, _PREPARED)
    count = len(order.request.debit_signatures)
    copy_ids, state_ids = moment.copy_ids, moment.state_ids
    marker_ids = moment.marker_ids
    write_states(script, _states(rules, order, state_ids))
    _write_markers(script, order, marker_ids)
    request, (debit, credit) = order.request, order.owners
    script.execute(
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
    write_accounts(script, order.accounts)
    script.execute(
        _TELL, {"id": copy_ids[0], "wallets": list(order.streams[:2]), "pair": order.streams[2]}
    )
    script.execute(_WAKE)
    script.run()
    return copy_ids[0]


def _states(rules: LedgerRules, order: OrderRows, ids: Sequence[int]) -> list[StateRow]:
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


def _write_markers(cursor: Any, order: OrderRows, ids: Sequence[int]) -> None:
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
