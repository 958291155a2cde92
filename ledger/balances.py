"""What a wallet has: available in an eon, spendable now, withdrawable on chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.accounts import COLUMNS, Account, gather, read_account
from ledger.clock import current_eon
from ledger.rules import LedgerRules

_ROWS: Final = text(
    f"SELECT {COLUMNS} FROM wallet_eon WHERE wallet_id = :wallet AND eon IN (:eon, :eon - 1)"
)
_COMMITTED: Final = text("""
SELECT EXISTS (SELECT FROM root_commitment WHERE eon = :eon),
       (SELECT right_bound - left_bound FROM exclusive_balance_allotment
        WHERE wallet_id = :wallet AND eon = :eon)
""")


@dataclass(frozen=True, slots=True)
class Balances:
    """A wallet's money in the current eon, in base units.

    `allotment` is None while the eon's checkpoint does not exist. `available` counts this eon
    alone, `loosely_available` also what the eon before left until the checkpoint allots it; both
    are negative after a request to withdraw money that is spent. `starting_balance` is what the
    eon began with, `free` what no open order reserves, `withdrawable` what a request may still ask
    for.
    """

    eon: int
    allotment: int | None
    starting_balance: int
    available: int
    loosely_available: int
    reserved: int
    withdrawable: int

    @property
    def free(self) -> int:
        """What may be spent beside the open order; never below 0."""
        return max(0, self.loosely_available - self.reserved)


def balances_of(session: Session, rules: LedgerRules, wallet_id: int) -> Balances:
    """Read a wallet's balances in the current eon without locking anything."""
    eon = current_eon(session)
    account = _account(session, wallet_id, eon)
    previous = _account(session, wallet_id, eon - 1)
    withdrawable = rules.edition.withdrawable_allotment(
        allotment=previous.allotment or 0,
        requests_of_last_eon=previous.withdrawn,
        requests_of_this_eon=account.withdrawn,
    )
    started = account.carried if account.allotment is None else account.allotment
    free = account.loosely_available - account.reserved
    return Balances(
        eon=eon,
        allotment=account.allotment,
        starting_balance=started,
        available=account.available,
        loosely_available=account.loosely_available,
        reserved=account.reserved,
        withdrawable=max(0, min(withdrawable, free)),
    )


def _account(session: Session, wallet_id: int, eon: int) -> Account:
    """Read an account as it is or would be created: rows appear with a wallet's first business."""
    rows = {
        row.eon: tuple(row)
        for row in session.execute(_ROWS, {"wallet": wallet_id, "eon": eon}).all()
    }
    for number in (eon, eon - 1):
        if number not in rows:
            rows[number] = _empty_row(session, wallet_id, number)
    accounts = gather(rows.values(), eon)
    return accounts.get(wallet_id) or read_account(rows[eon])


def _empty_row(session: Session, wallet_id: int, eon: int) -> tuple[Any, ...]:
    committed, allotment = session.execute(_COMMITTED, {"wallet": wallet_id, "eon": eon}).one()
    start = (allotment or 0) if committed else None
    return (wallet_id, eon, start, *(0,) * 7, b"", None, None, None, None, None, 0)
