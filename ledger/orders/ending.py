"""How a trader ends an order: freeze and cancel it, or finalise it once it is fulfilled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from ledger.accounts import Account
from ledger.clock import INTAKE_CLOSED, cursor_of
from ledger.notifications import Fact, tell_all
from ledger.orders.copies import LockedOrder, OrderCopy, lock_order, set_before, totals
from ledger.orders.payloads import cancel_payload, finalise_payload, freeze_payload
from ledger.orders.writing import (
    Owner,
    StateRow,
    state_digest,
    take_ids,
    write_accounts,
    write_states,
)
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from protocol.orders import (
    OrderState,
    Side,
    credit_closing_states,
    debit_cancellation_states,
)
from protocol.signing import is_signed_by
from protocol.trees.transaction_set import Frontier

_FREEZE: Final = """
UPDATE transfer SET cancelled = true, awaits_match = false, freeze_signature = %s
WHERE swap AND tx_id = %s AND eon >= %s AND NOT voided
"""
_CLOSE: Final = """
UPDATE transfer SET processed = true, awaits_match = false, voided = eon > %(eon)s
WHERE swap AND tx_id = %(tx_id)s AND eon >= %(eon)s
"""
_ATTACH: Final = """
UPDATE transfer SET {column} = attached.state_id
FROM unnest(%s::bigint[], %s::bigint[]) AS attached (transfer_id, state_id)
WHERE transfer.id = attached.transfer_id
"""
_DEBIT_CANCELLATION: Final = _ATTACH.format(column="sender_cancellation_active_state_id")
_CREDIT_CANCELLATION: Final = _ATTACH.format(column="recipient_cancellation_active_state_id")
_FINALISATION: Final = _ATTACH.format(column="recipient_finalization_active_state_id")


def freeze_order(
    session: Session, rules: LedgerRules, transfer_id: int, signature: bytes
) -> dict[str, Any] | None:
    """Stop an order from matching and tell what was matched; None if the id is no order's.

    Refuses, in this order, with `SWAP_ALREADY_FULFILLED`, `SWAP_ALREADY_FROZEN`,
    `SWAP_ALREADY_VOIDED`, `SWAP_ALREADY_CLOSED`, `INVALID_FREEZING_SIGNATURE`.
    """
    order = lock_order(session, transfer_id)
    if order is None:
        return None
    copy = order.current
    if copy.complete:
        raise Refusal("SWAP_ALREADY_FULFILLED")
    if copy.cancelled:
        raise Refusal("SWAP_ALREADY_FROZEN")
    if copy.voided:
        raise Refusal("SWAP_ALREADY_VOIDED")
    if copy.processed:
        raise Refusal("SWAP_ALREADY_CLOSED")
    if not is_signed_by(copy.terms.freeze_digest(), signature, copy.debit.address):
        raise Refusal("INVALID_FREEZING_SIGNATURE")
    cursor_of(session).execute(_FREEZE, (signature, str(copy.tx_id), order.eon))
    return freeze_payload(copy)


def cancel_order(
    session: Session,
    rules: LedgerRules,
    transfer_id: int,
    debit_signatures: Sequence[bytes],
    credit_signatures: Sequence[bytes],
) -> dict[str, Any] | None:
    """Cancel a frozen order, void its later copies and free its wallets; None if there is none.

    Both lists hold one signature for each copy from the current eon on, void ones included.
    Refuses, in this order, with `SWAP_NOT_FROZEN`, `SWAP_ALREADY_CLOSED`,
    `MISSING_FREEZING_SIGNATURE`, `SWAP_ALREADY_CANCELLED`, `WRONG_NUMBER_OF_DEBIT_SIGNATURES`,
    `WRONG_NUMBER_OF_CREDIT_SIGNATURES`, then the signatures' own codes.
    """
    order = lock_order(session, transfer_id)
    if order is None:
        return None
    copy = order.current
    _require_cancellable(copy)
    count = len(order.copies)
    if len(debit_signatures) != count:
        raise Refusal("WRONG_NUMBER_OF_DEBIT_SIGNATURES")
    if len(credit_signatures) != count:
        raise Refusal("WRONG_NUMBER_OF_CREDIT_SIGNATURES")
    if not copy.appended:
        raise Refusal(INTAKE_CLOSED, "this eon's copy of the order is not confirmed yet")
    debit, credit = order.debit, order.credit
    sold, bought = copy.matched_in_eon(debit, credit)
    set_of_debit, set_of_credit = set_before(debit, copy), set_before(credit, copy)
    side = Side(totals(copy.debit_state), set_of_debit, debit.allotment or 0)
    debit_states = debit_cancellation_states(
        copy.terms, eons=order.eons, debit=side, matched_out=sold
    )
    credit_states = _credit_states(order, set_of_credit, bought)
    _require_signed(rules, copy.debit, debit_states[:1], debit_signatures, "DEBIT")
    _require_signed(rules, copy.credit, credit_states[:1], credit_signatures, "CREDIT")
    for later in range(1, count):
        for owner, states, signatures, name in (
            (copy.debit, debit_states, debit_signatures, "FUTURE_DEBIT"),
            (copy.credit, credit_states, credit_signatures, "FUTURE_CREDIT"),
        ):
            one = slice(later, later + 1)
            _require_signed(rules, owner, states[one], signatures[one], name)
    cursor = cursor_of(session)
    ids = take_ids(cursor, "active_state", 2 * count)
    debit_rows = _rows(rules, copy.debit, debit_states, debit_signatures, set_of_debit, ids[:count])
    credit_rows = _rows(
        rules, copy.credit, credit_states, credit_signatures, set_of_credit, ids[count:]
    )
    write_states(cursor, [*debit_rows, *credit_rows])
    copy_ids = [one.id for one in order.copies]
    cursor.execute(_DEBIT_CANCELLATION, (copy_ids, ids[:count]))
    cursor.execute(_CREDIT_CANCELLATION, (copy_ids, ids[count:]))
    cursor.execute(_CLOSE, {"tx_id": str(copy.tx_id), "eon": order.eon})
    _leave(debit, debit_rows[0])
    _leave(credit, credit_rows[0])
    write_accounts(cursor, [debit, credit])
    payload = cancel_payload(copy, debit_rows[0], credit_rows[0])
    tell_all(
        session,
        [
            Fact("SWAP_CANCELLATION", copy.streams[:2], payload),
            Fact("CANCELLED_SWAP", copy.streams[2:], payload),
        ],
    )
    return payload


def finalise_order(
    session: Session, rules: LedgerRules, transfer_id: int, signatures: Sequence[bytes]
) -> dict[str, Any] | None:
    """Finalise a fulfilled order in the eon of its fulfilment and free its wallets.

    None if the id is no order's. Refuses, in this order, with `SWAP_NOT_FULFILLED`,
    `SWAP_ALREADY_FROZEN`, `SWAP_ALREADY_VOIDED`, `SWAP_ALREADY_CLOSED`, `SWAP_ALREADY_FINALIZED`,
    `WRONG_NUMBER_OF_CREDIT_SIGNATURES`, then the signatures' own codes.
    """
    order = lock_order(session, transfer_id)
    if order is None:
        return None
    copy = order.current
    _require_finalisable(copy)
    if len(signatures) != len(order.copies):
        raise Refusal("WRONG_NUMBER_OF_CREDIT_SIGNATURES")
    debit, credit = order.debit, order.credit
    sold, bought = copy.matched_in_eon(debit, credit)
    set_of_credit = set_before(credit, copy)
    states = _credit_states(order, set_of_credit, bought)
    _require_signed(rules, copy.credit, states[:1], signatures, "CREDIT")
    _require_signed(rules, copy.credit, states[1:], signatures[1:], "FUTURE_CREDIT")
    cursor = cursor_of(session)
    ids = take_ids(cursor, "active_state", len(states))
    rows = _rows(rules, copy.credit, states, signatures, set_of_credit, ids)
    write_states(cursor, rows)
    cursor.execute(_FINALISATION, ([one.id for one in order.copies], ids))
    cursor.execute(_CLOSE, {"tx_id": str(copy.tx_id), "eon": order.eon})
    # The signed state spends the whole amount anew; what earlier eons sold was spent there.
    debit.gained = copy.debit_state.gained + copy.matched_out - sold
    debit.open_order_id, debit.reserved = None, 0
    _leave(credit, rows[0])
    write_accounts(cursor, [debit, credit])
    payload = finalise_payload(copy, rows[0])
    tell_all(session, [Fact("SWAP_FINALIZATION", copy.streams[:2], payload)])
    return payload


def _require_cancellable(copy: OrderCopy) -> None:
    if not copy.cancelled:
        raise Refusal("SWAP_NOT_FROZEN")
    if copy.processed:
        raise Refusal("SWAP_ALREADY_CLOSED")
    if copy.freeze_signature is None:
        raise Refusal("MISSING_FREEZING_SIGNATURE")
    if copy.cancellation_id is not None:
        raise Refusal("SWAP_ALREADY_CANCELLED")


def _require_finalisable(copy: OrderCopy) -> None:
    if not copy.complete:
        raise Refusal("SWAP_NOT_FULFILLED")
    if copy.cancelled:
        raise Refusal("SWAP_ALREADY_FROZEN")
    if copy.voided:
        raise Refusal("SWAP_ALREADY_VOIDED")
    if copy.processed:
        raise Refusal("SWAP_ALREADY_CLOSED")
    if copy.finalisation_id is not None:
        raise Refusal("SWAP_ALREADY_FINALIZED")


def _credit_states(order: LockedOrder, before: Frontier, bought: int) -> list[OrderState]:
    copy = order.current
    return credit_closing_states(
        copy.terms,
        eons=order.eons,
        totals=totals(copy.credit_state),
        set_before=before,
        matched_in=bought,
    )


def _require_signed(
    rules: LedgerRules,
    owner: Owner,
    states: Sequence[OrderState],
    signatures: Sequence[bytes],
    name: str,
) -> None:
    for state, signature in zip(states, signatures, strict=False):
        if not is_signed_by(state_digest(rules, owner, state), signature, owner.address):
            raise Refusal(f"INVALID_{name}_SIGNATURE")


def _rows(
    rules: LedgerRules,
    owner: Owner,
    states: Sequence[OrderState],
    signatures: Sequence[bytes],
    before: Frontier,
    ids: Sequence[int],
) -> list[StateRow]:
    """The states as rows. Only the current eon's is countersigned: a wallet could challenge with
    one of a later eon, which no real state would ever outrank."""
    rows = [
        StateRow(state_id, owner.wallet_id, state, signature)
        for state_id, state, signature in zip(ids, states, signatures, strict=True)
    ]
    current = rows[0]
    rows[0] = StateRow(
        current.id,
        current.wallet_id,
        current.state,
        current.wallet_signature,
        rules.operator.sign(state_digest(rules, owner, current.state)),
        before.count,
        before.path_with(),
    )
    return rows


def _leave(account: Account, row: StateRow) -> None:
    """Let an account go on from the state that ended its order."""
    account.spent, account.gained = row.state.spent, row.state.gained
    account.last_state_id = row.id
    account.open_order_id, account.reserved = None, 0
