"""Rows of orders: states, markers and accounts, many at a time, in a transaction of the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.accounts import Account
from ledger.arrays import byte_strings, integers, optional_byte_strings, optional_integers
from ledger.prepared import Prepared
from ledger.rules import LedgerRules
from protocol.orders import OrderState
from protocol.states import active_state_digest

STATES: Final = """
INSERT INTO active_state (id, wallet_id, eon, spent, gained, tx_set_hash, tx_set_index,
                          tx_set_proof_hashes, wallet_signature, operator_signature)
SELECT * FROM unnest(%(ids)s::bigint[], %(wallets)s::bigint[], %(eons)s::bigint[],
                     %(spent)s::numeric[], %(gained)s::numeric[], %(roots)s::bytea[],
                     %(indexes)s::bigint[], %(proofs)s::bytea[], %(signatures)s::bytea[],
                     %(countersignatures)s::bytea[])
"""
# The rows exist and are locked: an upsert finds each by its key, whatever the planner believes.
ACCOUNTS: Final = """
INSERT INTO wallet_eon (wallet_id, eon, spent, gained, entry_count, frontier, last_transfer_id,
                        last_state_id, last_leaf, last_position, open_order_id, reserved)
SELECT wallet_id, eon, spent, gained, entries, frontier, transfer, state, leaf, NULL, open, reserved
FROM unnest(%(wallets)s::bigint[], %(eons)s::bigint[], %(spent)s::numeric[],
            %(gained)s::numeric[], %(entries)s::bigint[], %(frontiers)s::bytea[],
            %(transfers)s::bigint[], %(states)s::bigint[], %(leaves)s::bytea[],
            %(open)s::bigint[], %(reserved)s::numeric[])
     AS a (wallet_id, eon, spent, gained, entries, frontier, transfer, state, leaf, open, reserved)
ON CONFLICT (wallet_id, eon) DO UPDATE
SET spent = excluded.spent, gained = excluded.gained, entry_count = excluded.entry_count,
    frontier = excluded.frontier, last_transfer_id = excluded.last_transfer_id,
    last_state_id = excluded.last_state_id, last_leaf = excluded.last_leaf,
    last_position = excluded.last_position, open_order_id = excluded.open_order_id,
    reserved = excluded.reserved
"""
_COUNTERSIGN: Final = """
UPDATE active_state SET operator_signature = signed.signature
FROM unnest(%(ids)s::bigint[], %(signatures)s::bytea[]) AS signed (id, signature)
WHERE active_state.id = signed.id
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """The wallet of an order's side, as states and notifications name it."""

    wallet_id: int
    token: bytes
    token_text: str
    address: bytes
    text: str
    trail: int

    @property
    def stream(self) -> str:
        """The name of the wallet's stream of notifications."""
        return f"wallet/{self.token_text}/{self.text}"


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state to be stored under `id`; `path` are the siblings of its newest leaf."""

    id: int
    wallet_id: int
    state: OrderState
    wallet_signature: bytes
    operator_signature: bytes | None = None
    index: int = 0
    path: Sequence[bytes] = ()


class Script:
    """Statements collected to be sent in one round trip; it stands in for a cursor that writes.

    `prepared` are those that the connection has planned already, by their text.
    """

    def __init__(self, cursor: Any, prepared: Mapping[str, Prepared]) -> None:
        self._cursor = cursor
        self._prepared = prepared
        self._statements: list[bytes] = []

    def execute(self, statement: str, arguments: Any = None) -> None:
        """Add a statement, its arguments filled in."""
        planned = self._prepared.get(statement)
        text = statement if planned is None else planned.call
        self._statements.append(self._cursor.mogrify(text, arguments))

    def run(self) -> None:
        """Send what was collected."""
        self._cursor.execute(b"; ".join(self._statements))


def state_digest(rules: LedgerRules, owner: Owner, state: OrderState) -> bytes:
    """Hash a state of an order's side to the 32 bytes that its wallet and the operator sign."""
    return active_state_digest(
        contract=rules.contract,
        token=owner.token,
        wallet=owner.address,
        trail=owner.trail,
        eon=state.eon,
        tx_set_root=state.tx_set_root,
        spent=state.spent,
        gained=state.gained,
    )


def take_ids(cursor: Any, table: str, count: int) -> list[int]:
    """Take `count` fresh row ids of a table, ascending."""
    cursor.execute(
        "SELECT nextval(%s) FROM generate_series(1, %s::bigint)", (f"{table}_id_seq", count)
    )
    return sorted(number for (number,) in cursor)


def write_states(cursor: Any, rows: Sequence[StateRow]) -> None:
    """Store states."""
    cursor.execute(
        STATES,
        {
            "ids": integers(row.id for row in rows),
            "wallets": integers(row.wallet_id for row in rows),
            "eons": integers(row.state.eon for row in rows),
            "spent": integers(row.state.spent for row in rows),
            "gained": integers(row.state.gained for row in rows),
            "roots": byte_strings(row.state.tx_set_root for row in rows),
            "indexes": integers(row.index for row in rows),
            "proofs": byte_strings(b"".join(row.path) for row in rows),
            "signatures": byte_strings(row.wallet_signature for row in rows),
            "countersignatures": optional_byte_strings(row.operator_signature for row in rows),
        },
    )


def countersign(cursor: Any, signatures: Sequence[tuple[int, bytes]]) -> None:
    """Add the operator's signature to stored states, by their ids."""
    if signatures:
        cursor.execute(
            _COUNTERSIGN,
            {
                "ids": integers(state_id for state_id, _ in signatures),
                "signatures": byte_strings(signature for _, signature in signatures),
            },
        )


def write_accounts(cursor: Any, accounts: Sequence[Account]) -> None:
    """Write locked accounts whose last entry is an order, or that an order has just left."""
    cursor.execute(
        ACCOUNTS,
        {
            "wallets": integers(account.wallet_id for account in accounts),
            "eons": integers(account.eon for account in accounts),
            "spent": integers(account.spent for account in accounts),
            "gained": integers(account.gained for account in accounts),
            "entries": integers(account.entry_count for account in accounts),
            "frontiers": byte_strings(account.frontier for account in accounts),
            "transfers": optional_integers(account.last_transfer_id for account in accounts),
            "states": optional_integers(account.last_state_id for account in accounts),
            "leaves": optional_byte_strings(account.last_leaf for account in accounts),
            "open": optional_integers(account.open_order_id for account in accounts),
            "reserved": integers(account.reserved for account in accounts),
        },
    )
