"""An order's copies, read under the locks of its two accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from ledger.accounts import Account, lock_accounts
from ledger.clock import INTAKE_CLOSED, cursor_of, read_view
from ledger.notifications import token_pair_stream
from ledger.orders.writing import Owner
from ledger.refusals import LedgerInvariant, Refusal
from protocol.orders import OrderTerms, Totals
from protocol.trees.transaction_set import EMPTY, Frontier

_PLAIN: Final = (
    "id",
    "tx_id",
    "eon",
    "amount",
    "amount_swapped",
    "nonce",
    "sells",
    "arrival",
    "appended",
    "processed",
    "complete",
    "cancelled",
    "voided",
    "awaits_match",
    "matched_out",
    "matched_in",
)
_SELECT: Final = """
SELECT x.id, x.tx_id, x.eon, x.amount, x.amount_swapped, x.nonce, x.sell_order, x.arrival,
       x.appended, x.processed, x.complete, x.cancelled, x.voided, x.awaits_match,
       x.matched_out, x.matched_in, x.freeze_signature,
       x.sender_active_state_id, d.spent, d.gained, d.tx_set_hash,
       x.recipient_active_state_id, c.spent, c.gained, c.tx_set_hash,
       x.recipient_fulfillment_active_state_id, f.spent, f.gained, f.tx_set_hash,
       x.recipient_finalization_active_state_id, x.sender_cancellation_active_state_id,
       s.id, st.address, st.text, s.address, s.text, s.trail_identifier,
       r.id, rt.address, rt.text, r.address, r.text, r.trail_identifier
FROM transfer x
JOIN active_state d ON d.id = x.sender_active_state_id
JOIN active_state c ON c.id = x.recipient_active_state_id
JOIN active_state f ON f.id = x.recipient_fulfillment_active_state_id
JOIN wallet s ON s.id = x.sender_id JOIN token st ON st.id = s.token_id
JOIN wallet r ON r.id = x.recipient_id JOIN token rt ON rt.id = r.token_id
"""
_OF_ORDER: Final = f"{_SELECT} WHERE x.swap AND x.tx_id = %s AND x.eon >= %s ORDER BY x.eon"
_BY_ID: Final = f"{_SELECT} WHERE x.id = ANY(%s::bigint[]) ORDER BY x.id"
_FIND: Final = "SELECT tx_id, sender_id, recipient_id FROM transfer WHERE id = %s AND swap"


@dataclass(frozen=True, slots=True)
class StoredState:
    """A state of a copy as it was signed at placement."""

    id: int
    spent: int
    gained: int
    tx_set_hash: bytes


@dataclass(frozen=True, slots=True)
class OrderCopy:
    """One eon's copy of an order. Matched totals are over all eons up to this one."""

    id: int
    tx_id: UUID
    eon: int
    amount: int
    amount_swapped: int
    nonce: int
    sells: bool
    arrival: int
    appended: bool
    processed: bool
    complete: bool
    cancelled: bool
    voided: bool
    awaits_match: bool
    matched_out: int
    matched_in: int
    freeze_signature: bytes | None
    debit_state: StoredState
    credit_state: StoredState
    fulfilment_state: StoredState
    finalisation_id: int | None
    cancellation_id: int | None
    debit: Owner
    credit: Owner

    @property
    def terms(self) -> OrderTerms:
        """What the order says."""
        return OrderTerms(
            self.debit.token,
            self.credit.token,
            self.credit.trail,
            self.amount,
            self.amount_swapped,
            self.nonce,
        )

    @property
    def is_open(self) -> bool:
        """Whether the copy is countersigned and may trade."""
        return self.appended and not (
            self.processed or self.complete or self.cancelled or self.voided
        )

    @property
    def streams(self) -> tuple[str, str, str]:
        """Who is told: the credit wallet, the debit wallet, the pair."""
        pair = token_pair_stream(self.debit.token_text, self.credit.token_text)
        return self.credit.stream, self.debit.stream, pair

    def matched_in_eon(self, debit: Account, credit: Account) -> tuple[int, int]:
        """What was sold and bought in the copy's eon, by the accounts of an unfinished copy."""
        sold = self.debit_state.gained + self.amount - debit.gained
        return sold, credit.gained - self.credit_state.gained


@dataclass(frozen=True, slots=True)
class LockedOrder:
    """An order with its accounts of the current eon; `copies` are those from that eon on."""

    eon: int
    copies: Sequence[OrderCopy]
    debit: Account
    credit: Account

    @property
    def current(self) -> OrderCopy:
        """The copy of the current eon."""
        return self.copies[0]

    @property
    def eons(self) -> list[int]:
        """The eons of the remaining copies, void ones included."""
        return [copy.eon for copy in self.copies]


def lock_order(session: Session, transfer_id: int) -> LockedOrder | None:
    """Lock an order by the id of any of its copies; None if the id is no order's.

    Refuses with `SWAP_ALREADY_CLOSED` once the last of its eons is over, and with `INTAKE_CLOSED`
    if the eon turned meanwhile: a later try finds the new eon's copy.
    """
    cursor = cursor_of(session)
    cursor.execute(_FIND, (transfer_id,))
    found = cursor.fetchone()
    if found is None:
        return None
    tx_id, sender_id, recipient_id = found
    eon = read_view(session).current_eon
    accounts = lock_accounts(cursor, (sender_id, recipient_id), eon)
    require_current(session, eon)
    cursor.execute(_OF_ORDER, (tx_id, eon))
    copies = [read_copy(row) for row in cursor.fetchall()]
    if not copies:
        raise Refusal("SWAP_ALREADY_CLOSED", "the order's last eon is over")
    return LockedOrder(eon, copies, accounts[sender_id], accounts[recipient_id])


def require_current(session: Session, eon: int) -> None:
    """Refuse with `INTAKE_CLOSED` unless `eon`, whose accounts are locked, still runs."""
    if read_view(session).current_eon != eon:
        raise Refusal(INTAKE_CLOSED, "the eon is turning")


def read_copies(cursor: Any, ids: Iterable[int]) -> list[OrderCopy]:
    """Read copies by id, in the order of ids."""
    cursor.execute(_BY_ID, (sorted(set(ids)),))
    return [read_copy(row) for row in cursor.fetchall()]


def read_copy(row: tuple[Any, ...]) -> OrderCopy:
    """Read a row of the copies' query."""
    plain: dict[str, Any] = dict(zip(_PLAIN, row[:16], strict=True))
    plain["tx_id"] = UUID(str(row[1]))
    freeze, rest = row[16], row[17:]
    return OrderCopy(
        **plain,
        freeze_signature=None if freeze is None else bytes(freeze),
        debit_state=_state(rest[0:4]),
        credit_state=_state(rest[4:8]),
        fulfilment_state=_state(rest[8:12]),
        finalisation_id=rest[12],
        cancellation_id=rest[13],
        debit=_owner(rest[14:20]),
        credit=_owner(rest[20:26]),
    )


def set_before(account: Account, copy: OrderCopy) -> Frontier:
    """The set to which an unfinished order was appended: it is the newest entry still."""
    if account.last_transfer_id != copy.id:
        raise LedgerInvariant(f"order {copy.id} is not the last entry of its wallet")
    return Frontier.from_bytes(account.frontier) if account.frontier else EMPTY


def totals(state: StoredState) -> Totals:
    """The totals of a stored state."""
    return Totals(state.spent, state.gained)


def _owner(row: Sequence[Any]) -> Owner:
    wallet_id, token, token_text, address, text, trail = row
    return Owner(wallet_id, bytes(token), token_text, bytes(address), text, trail)


def _state(row: Sequence[Any]) -> StoredState:
    state_id, spent, gained, root = row
    return StoredState(state_id, spent, gained, bytes(root))
