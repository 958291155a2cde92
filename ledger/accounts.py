"""A wallet's account in one eon: its row, locked in one global order, and the money it may spend.

Every writer of `wallet_eon` goes through `lock_accounts`: rows appear with the allotment of a
checkpoint that exists already, and no two transactions wait for each other in a circle, because
rows are locked newest eon first and then by wallet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ledger.eon_lock import SHARE
from ledger.prepared import Prepared
from ledger.refusals import LedgerInvariant

COLUMNS: Final = (
    "wallet_id, eon, allotment, deposited, withdrawn, spent, gained, receipt_total, "
    "receipt_count, entry_count, frontier, last_transfer_id, last_state_id, last_leaf, "
    "last_position, open_order_id, reserved"
)
# A row may be created only while the eon is shared: committing a checkpoint holds the eon alone,
# so a new row either sees the checkpoint or is seen by it.
_CREATE: Final = """
INSERT INTO wallet_eon (wallet_id, eon, allotment, open_order_id, reserved)
SELECT named.wallet_id, %(eon)s,
       CASE WHEN EXISTS (SELECT FROM root_commitment WHERE eon = %(eon)s)
            THEN COALESCE(committed.right_bound - committed.left_bound, 0) END,
       copy.id,
       CASE WHEN copy.sender_id = named.wallet_id
            THEN copy.amount - copy.matched_out ELSE 0 END
FROM unnest(%(wallets)s::bigint[]) AS named (wallet_id)
LEFT JOIN exclusive_balance_allotment AS committed
       ON committed.wallet_id = named.wallet_id AND committed.eon = %(eon)s
LEFT JOIN LATERAL (
    SELECT id, sender_id, amount, matched_out FROM transfer
    WHERE sender_id = named.wallet_id AND eon = %(eon)s AND swap AND NOT processed AND NOT voided
    UNION ALL
    SELECT id, sender_id, amount, matched_out FROM transfer
    WHERE recipient_id = named.wallet_id AND eon = %(eon)s
      AND swap AND NOT processed AND NOT voided
    LIMIT 1
) AS copy ON true
WHERE NOT EXISTS (
    SELECT FROM wallet_eon WHERE wallet_id = named.wallet_id AND eon = %(eon)s
)
ORDER BY named.wallet_id
ON CONFLICT DO NOTHING
"""
_HAS_ROOT: Final = "SELECT EXISTS (SELECT FROM root_commitment WHERE eon = %s)"
# Together in one round trip; each statement still sees what was committed before it.
_SHARE_AND_CREATE: Final = "; ".join(
    (SHARE.replace("%s", "%(eon)s"), _CREATE, _HAS_ROOT.replace("%s", "%(eon)s"))
)
_LOCK: Final = f"""
SELECT {COLUMNS} FROM wallet_eon
WHERE wallet_id = ANY(%(wallets)s::bigint[]) AND eon = ANY(%(eons)s::bigint[])
ORDER BY eon DESC, wallet_id
FOR UPDATE
"""
LOCK: Final = Prepared("lock_accounts", _LOCK)
"""Locks the accounts `wallets` of `eons`; for connections that prepared it."""


@dataclass(slots=True)
class Account:
    """A row of `wallet_eon`, locked. Amounts in base units.

    `carried` is what was available at the end of the eon before; it counts while `allotment` is
    None, that is while the eon's checkpoint does not exist.
    """

    wallet_id: int
    eon: int
    allotment: int | None
    deposited: int
    withdrawn: int
    spent: int
    gained: int
    receipt_total: int
    receipt_count: int
    entry_count: int
    frontier: bytes
    last_transfer_id: int | None
    last_state_id: int | None
    last_leaf: bytes | None
    last_position: int | None
    open_order_id: int | None
    reserved: int
    carried: int = 0

    @property
    def available(self) -> int:
        """Allotment plus what came in minus what went out in this eon; may be negative."""
        return (
            (self.allotment or 0)
            + self.deposited
            + self.receipt_total
            + self.gained
            - self.spent
            - self.withdrawn
        )

    @property
    def loosely_available(self) -> int:
        """What may be spent now, what an open order reserves included; may be negative."""
        carried = self.carried if self.allotment is None else 0
        return self.available + carried


def read_account(row: tuple[Any, ...]) -> Account:
    """Read a row selected by `COLUMNS`."""
    account = Account(*row)
    account.frontier = bytes(account.frontier)
    if account.last_leaf is not None:
        account.last_leaf = bytes(account.last_leaf)
    return account


def create_accounts(cursor: Any, wallet_ids: Iterable[int], eon: int) -> None:
    """Create missing rows of `eon`, and of the eon before while `eon` has no checkpoint.

    The transaction must share `eon` and hold no account yet. Admitted wallets only.
    """
    wallets = sorted(set(wallet_ids))
    cursor.execute(_CREATE, {"wallets": wallets, "eon": eon})
    cursor.execute(_HAS_ROOT, (eon,))
    if eon > 1 and not cursor.fetchone()[0]:
        cursor.execute(_CREATE, {"wallets": wallets, "eon": eon - 1})


def gather(rows: Iterable[tuple[Any, ...]], eon: int) -> dict[int, Account]:
    """Join locked rows of `eon` and of the eon before to accounts of `eon` by wallet.

    An account whose earlier row is needed and absent is left out.
    """
    current: dict[int, Account] = {}
    previous: dict[int, Account] = {}
    for row in rows:
        account = read_account(row)
        (current if account.eon == eon else previous)[account.wallet_id] = account
    for wallet_id, account in list(current.items()):
        if account.allotment is not None or eon == 1:
            continue
        if wallet_id in previous:
            account.carried = previous[wallet_id].available
        else:
            del current[wallet_id]
    return current


def lock_accounts(cursor: Any, wallet_ids: Iterable[int], eon: int) -> dict[int, Account]:
    """Share `eon`, create missing rows and lock the accounts of admitted wallets, by wallet id.

    Call it before the transaction locks any other account. Raises `LedgerInvariant` for a wallet
    that is not there.
    """
    wallets = sorted(set(wallet_ids))
    cursor.execute(_SHARE_AND_CREATE, {"wallets": wallets, "eon": eon})
    if eon > 1 and not cursor.fetchone()[0]:
        cursor.execute(_CREATE, {"wallets": wallets, "eon": eon - 1})
    cursor.execute(_LOCK, {"wallets": wallets, "eons": [eon, eon - 1]})
    accounts = gather(cursor.fetchall(), eon)
    if len(accounts) != len(wallets):
        raise LedgerInvariant("an account has no row after it was created")
    return accounts
