"""Orders go on in a new eon: their copies are confirmed on the checkpoint's final numbers.

A copy was signed for one opening balance each: what is unsold, and what was bought. If something
else has moved the wallets' money, the contract could not judge the copy, and the order ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from ledger.accounts import Account, lock_accounts
from ledger.clock import cursor_of, find_view
from ledger.notifications import Fact, tell_all
from ledger.orders.copies import OrderCopy, StoredState, read_copies
from ledger.orders.placing import CONFIRMED, INCOMING
from ledger.orders.writing import Owner, countersign, state_digest, write_accounts
from ledger.rules import LedgerRules
from protocol.orders import CLOSED_START, OrderState
from protocol.trees.transaction_set import EMPTY

BATCH: Final = 100

_WAITING: Final = """
SELECT x.id, x.sender_id, x.recipient_id, COALESCE(p.recipient_held_back, 0)
FROM transfer x LEFT JOIN transfer p ON p.tx_id = x.tx_id AND p.eon = x.eon - 1
WHERE x.swap AND x.eon = %s AND NOT x.appended AND NOT x.processed AND NOT x.voided
ORDER BY x.arrival LIMIT %s
"""
_ANNOUNCED: Final = """
SELECT EXISTS (SELECT FROM root_commitment WHERE eon = %s AND announced_at IS NOT NULL)
"""
_CONFIRM: Final = "UPDATE transfer SET appended = true WHERE id = ANY(%s::bigint[])"
_VOID: Final = """
UPDATE transfer SET voided = true, processed = true, awaits_match = false
WHERE swap AND tx_id = ANY(%s::uuid[]) AND eon >= %s
"""


def confirm_copies(
    session: Session, rules: LedgerRules, eon: int, *, limit: int = BATCH
) -> int | None:
    """Confirm copies of `eon`, the current one, earliest orders first; those that no longer fit
    are voided with their later copies.

    Returns how many were looked at: 0 once there are none left in this eon, None until the eon's
    checkpoint was announced. That is committed then, and what is committed first is told first: a
    wallet hears of its checkpoint before it hears of its order.
    """
    cursor = cursor_of(session)
    cursor.execute(_ANNOUNCED, (eon,))
    if not cursor.fetchone()[0]:
        return None
    cursor.execute(_WAITING, (eon, limit))
    waiting = {row[0]: row[1:] for row in cursor.fetchall()}
    if not waiting:
        return 0
    wallets = {wallet_id for row in waiting.values() for wallet_id in row[:2]}
    accounts = lock_accounts(cursor, wallets, eon)
    view = find_view(session)
    if view is None or view.current_eon != eon:
        return None
    confirmed: list[OrderCopy] = []
    voided: list[OrderCopy] = []
    for copy in read_copies(cursor, waiting):
        if copy.appended or copy.processed or copy.voided:
            continue
        debit, credit = accounts[copy.debit.wallet_id], accounts[copy.credit.wallet_id]
        held = waiting[copy.id][2]
        fits = rules.swaps_enabled and _fits(copy, debit, credit, held)
        (confirmed if fits else voided).append(copy)
        (_append if fits else _release)(copy, debit, credit)
    _write(cursor, rules, eon, confirmed, voided)
    changed = [
        accounts[owner.wallet_id]
        for copy in (*confirmed, *voided)
        for owner in (copy.debit, copy.credit)
    ]
    if changed:
        write_accounts(cursor, changed)
    facts = [
        fact
        for copy in confirmed
        for fact in (
            Fact(CONFIRMED, copy.streams[:2], transfer_id=copy.id),
            Fact(INCOMING, copy.streams[2:], transfer_id=copy.id),
        )
    ]
    tell_all(session, facts)
    return len(waiting)


def _fits(copy: OrderCopy, debit: Account, credit: Account, held_back: int) -> bool:
    """Whether the opening balances are what the order left, and what it reserves is still there."""
    unsold = copy.amount - copy.matched_out
    return (
        debit.entry_count == 0
        and credit.entry_count == 0
        and debit.allotment == unsold
        and credit.allotment == copy.matched_in - held_back
        and debit.loosely_available >= unsold
        and debit.open_order_id in (None, copy.id)
        and credit.open_order_id in (None, copy.id)
    )


def _append(copy: OrderCopy, debit: Account, credit: Account) -> None:
    """Let the copy be the only entry of its wallets' sets."""
    for account, state in ((debit, copy.debit_state), (credit, copy.credit_state)):
        account.frontier = EMPTY.to_bytes()
        account.entry_count = 1
        account.spent, account.gained = state.spent, state.gained
        account.last_transfer_id = account.open_order_id = copy.id
        account.last_state_id = state.id
    debit.gained += copy.amount
    debit.reserved = copy.amount - copy.matched_out
    debit.last_leaf = copy.terms.leaf(debit.allotment or 0)
    credit.last_leaf = copy.terms.leaf(CLOSED_START)


def _release(copy: OrderCopy, debit: Account, credit: Account) -> None:
    for account in (debit, credit):
        if account.open_order_id == copy.id:
            account.open_order_id, account.reserved = None, 0


def _write(
    cursor: Any,
    rules: LedgerRules,
    eon: int,
    confirmed: Sequence[OrderCopy],
    voided: Sequence[OrderCopy],
) -> None:
    if confirmed:
        signatures = [
            (state.id, _countersignature(rules, owner, eon, state))
            for copy in confirmed
            for owner, state in ((copy.debit, copy.debit_state), (copy.credit, copy.credit_state))
        ]
        countersign(cursor, signatures)
        cursor.execute(_CONFIRM, ([copy.id for copy in confirmed],))
    if voided:
        cursor.execute(_VOID, ([str(copy.tx_id) for copy in voided], eon))


def _countersignature(rules: LedgerRules, owner: Owner, eon: int, state: StoredState) -> bytes:
    signed = OrderState(eon, state.tx_set_hash, state.spent, state.gained)
    return rules.operator.sign(state_digest(rules, owner, signed))
