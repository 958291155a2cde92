"""One batch of takers: planned in memory, checked again under locks, written in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger.accounts import Account, lock_accounts
from ledger.arrays import integers
from ledger.clock import cursor_of, find_view
from ledger.matching.book import Resting
from ledger.matching.planning import Plan
from ledger.notifications import Fact, tell_all
from ledger.orders.copies import OrderCopy, read_copies
from ledger.orders.writing import countersign, state_digest, write_accounts
from ledger.rules import LedgerRules
from models import Matching
from protocol.matching import Order
from protocol.orders import OrderState

_SELECT: Final = """
SELECT x.id, x.arrival, s.token_id, r.token_id, x.sender_id, x.recipient_id, x.amount,
       x.amount_swapped, x.sell_order, x.matched_out, x.matched_in
FROM transfer x JOIN wallet s ON s.id = x.sender_id JOIN wallet r ON r.id = x.recipient_id
WHERE x.swap AND x.eon = %(eon)s AND x.appended
  AND NOT (x.processed OR x.complete OR x.cancelled OR x.voided)
"""
_TAKERS: Final = f"""{_SELECT} AND x.awaits_match AND x.id <> ALL(%(unfit)s::bigint[])
  AND x.time <= clock_timestamp() - make_interval(secs => %(delay)s)
ORDER BY x.arrival LIMIT %(limit)s
"""
_RESTING: Final = f"{_SELECT} AND NOT x.awaits_match"
_UPDATE: Final = """
UPDATE transfer SET matched_out = m.sold, matched_in = m.bought, complete = m.complete,
                    awaits_match = false
FROM unnest(%(ids)s::bigint[], %(sold)s::numeric[], %(bought)s::numeric[], %(complete)s::bool[])
     AS m (id, sold, bought, complete)
WHERE transfer.id = m.id
"""
_VOID_LATER: Final = """
UPDATE transfer SET voided = true, processed = true, awaits_match = false
WHERE swap AND tx_id = ANY(%s::uuid[]) AND eon > %s
"""


class StaleBooks(Exception):
    """What matching remembers is not what the ledger says: nothing was written.

    `gone` are copies that no longer trade, `unfit` those whose wallets owe a withdrawal what the
    order would pay; `reload` says that amounts differ, as after another leader's work.
    """

    def __init__(self, gone: Sequence[int], unfit: Sequence[int], *, reload: bool) -> None:
        super().__init__("the books are stale")
        self.gone = gone
        self.unfit = unfit
        self.reload = reload


def read_resting(cursor: Any, eon: int) -> list[Resting]:
    """Read the open orders of an eon that have been takers already."""
    cursor.execute(_RESTING, {"eon": eon})
    return [_resting(row) for row in cursor.fetchall()]


def read_takers(
    cursor: Any, eon: int, *, delay_s: float, limit: int, unfit: Sequence[int]
) -> list[Resting]:
    """Read the orders that have yet to be takers, in the order of their acceptance.

    Those younger than `delay_s` wait: the answer to their placement must leave first.
    """
    arguments = {"eon": eon, "delay": delay_s, "limit": limit, "unfit": list(unfit)}
    cursor.execute(_TAKERS, arguments)
    return [_resting(row) for row in cursor.fetchall()]


def write_plan(session: Session, rules: LedgerRules, eon: int, plan: Plan) -> bool:
    """Write what a plan trades, and that its takers have had their turn; False if the eon turned.

    Raises `StaleBooks` if an order of the plan is not as it was when it was planned.
    """
    cursor = cursor_of(session)
    concerned = list(plan.before.values())
    wallets = {wallet for one in concerned for wallet in (one.debit_id, one.credit_id)}
    accounts = lock_accounts(cursor, wallets, eon)
    view = find_view(session)
    if view is None or view.current_eon != eon:
        return False
    copies = {copy.id: copy for copy in read_copies(cursor, plan.before)}
    _require_fresh(plan, copies, accounts)
    traded = plan.traded
    signatures = [
        signature
        for one in traded
        if (signature := _settle(rules, one, copies[one.transfer_id], accounts)) is not None
    ]
    countersign(cursor, signatures)
    _write_orders(cursor, plan, copies, eon)
    if traded:
        ids = sorted({wallet for one in traded for wallet in (one.debit_id, one.credit_id)})
        write_accounts(cursor, [accounts[wallet] for wallet in ids])
        _record(session, plan, copies, eon)
    return True


def _require_fresh(plan: Plan, copies: dict[int, OrderCopy], accounts: dict[int, Account]) -> None:
    takers = {taker.transfer_id for taker in plan.takers}
    gone, unfit, moved = [], [], False
    for transfer_id, planned in plan.before.items():
        copy, debit = copies[transfer_id], accounts[planned.debit_id]
        if not copy.is_open:
            gone.append(transfer_id)
        elif (copy.matched_out, copy.matched_in) != (
            planned.order.matched_out,
            planned.order.matched_in,
        ) or copy.awaits_match != (transfer_id in takers):
            moved = True
        elif debit.loosely_available < debit.reserved:
            unfit.append(transfer_id)
    if gone or unfit or moved:
        raise StaleBooks(gone, unfit, reload=moved)


def _settle(
    rules: LedgerRules, after: Resting, copy: OrderCopy, accounts: dict[int, Account]
) -> tuple[int, bytes] | None:
    """Move an order's money; return its fulfilment state's id with the operator's signature.

    A state that claims the whole wish as gained in this eon, though earlier eons received a part
    of it, could never be answered for: such an order's credit state stays the committed one.
    """
    debit, credit = accounts[after.debit_id], accounts[after.credit_id]
    sold = after.order.matched_out - copy.matched_out
    debit.gained -= sold
    debit.reserved -= sold
    credit.gained += after.order.matched_in - copy.matched_in
    _, bought_in_eon = copy.matched_in_eon(debit, credit)
    if not after.order.is_fulfilled:
        return None
    debit.reserved = 0
    if bought_in_eon < copy.amount_swapped:
        return None
    state = copy.fulfilment_state
    credit.last_state_id = state.id
    signed = OrderState(copy.eon, state.tx_set_hash, state.spent, state.gained)
    return state.id, rules.operator.sign(state_digest(rules, copy.credit, signed))


def _write_orders(cursor: Any, plan: Plan, copies: dict[int, OrderCopy], eon: int) -> None:
    changed = [plan.after[transfer_id] for transfer_id in sorted(plan.after)]
    flags = ",".join("true" if one.order.is_fulfilled else "false" for one in changed)
    cursor.execute(
        _UPDATE,
        {
            "ids": integers(one.transfer_id for one in changed),
            "sold": integers(one.order.matched_out for one in changed),
            "bought": integers(one.order.matched_in for one in changed),
            "complete": f"{{{flags}}}",
        },
    )
    ended = [str(copies[one.transfer_id].tx_id) for one in changed if one.order.is_fulfilled]
    if ended:
        cursor.execute(_VOID_LATER, (ended, eon))


def _record(session: Session, plan: Plan, copies: dict[int, OrderCopy], eon: int) -> None:
    """Store the trades and tell everybody whose order traded, older orders first."""
    session.execute(
        insert(Matching),
        [
            {
                "eon": eon,
                "left_order_tx_id": copies[trade.taker.transfer_id].tx_id,
                "right_order_tx_id": copies[trade.resting.transfer_id].tx_id,
                "left_token_id": trade.taker.direction[0],
                "right_token_id": trade.taker.direction[1],
                "left_deducted": trade.paid,
                "right_deducted": trade.received,
            }
            for trade in plan.trades
        ],
    )
    tell_all(
        session,
        [
            Fact("MATCHED_SWAP", copies[one.transfer_id].streams, transfer_id=one.transfer_id)
            for one in plan.traded
        ],
    )


def _resting(row: tuple[Any, ...]) -> Resting:
    transfer_id, arrival, sold, bought, debit, credit, amount, wanted, sells, *matched = row
    order = Order(amount, wanted, sells, *matched)
    return Resting(transfer_id, arrival, (sold, bought), debit, credit, order)
