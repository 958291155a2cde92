"""The leaves of one token: what each wallet has at the end of a closed eon, in trail order.

The eon is immutable, so two ordered scans side by side are enough: one of the wallets with their
accounts, one of the receipts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, text

from ledger.orders.retirement import ADJUSTMENTS
from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.states import active_state_digest
from protocol.transfers import transfer_leaf
from protocol.trees.interval import InvalidIntervals
from protocol.trees.passive import PassiveLeaf, passive_root

FETCH_ROWS: Final = 5_000

# A request whose slash is on its way is left out of the leaf, though the wallet cannot spend it.
_ACCOUNTS: Final = text(f"""
SELECT w.trail_identifier, w.id, w.address,
       COALESCE(a.allotment, p.right_bound - p.left_bound, 0)
         + COALESCE(a.deposited + a.receipt_total + a.gained - a.spent - a.withdrawn, 0)
         + COALESCE(f.amount, 0) + COALESCE(o.amount, 0) AS balance,
       COALESCE(a.receipt_total, 0) AS receipt_total, COALESCE(a.receipt_count, 0) AS receipt_count,
       COALESCE(a.last_position, 0) AS passive_marker,
       s.id AS state_id, s.spent, s.gained, s.tx_set_hash,
       s.operator_signature IS NOT NULL AS signed
FROM wallet w
LEFT JOIN wallet_eon a ON a.wallet_id = w.id AND a.eon = :eon
LEFT JOIN exclusive_balance_allotment p ON p.wallet_id = w.id AND p.eon = :eon
LEFT JOIN active_state s ON s.id = a.last_state_id
LEFT JOIN (
    SELECT wallet_id, sum(amount) AS amount FROM withdrawal_request
    WHERE eon = :eon AND token_id = :token AND status = 'slash_queued' GROUP BY wallet_id
) f ON f.wallet_id = w.id
LEFT JOIN ({ADJUSTMENTS}) o ON o.wallet_id = w.id
WHERE w.token_id = :token AND w.trail_identifier < :count
ORDER BY w.trail_identifier
""")
_RECEIPTS: Final = text("""
SELECT r.trail_identifier, s.address, t.amount, t.nonce, t.position
FROM transfer t JOIN wallet r ON r.id = t.recipient_id JOIN wallet s ON s.id = t.sender_id
WHERE t.eon = :eon AND t.passive AND NOT t.voided
  AND r.token_id = :token AND r.trail_identifier < :count
ORDER BY r.trail_identifier, t.receipt_index
""")

Receipts: TypeAlias = Iterator[tuple[int, list[Any]]]


@dataclass(frozen=True, slots=True)
class TokenTurn:
    """A token at the end of `eon`; the wallets with trails below `count` are its leaves."""

    token_id: int
    address: Address
    short_name: str
    eon: int
    count: int
    contract: Address


@dataclass(slots=True)
class Leaf:
    """A wallet's leaf before it has its place on the line. `balance` may still be negative.

    `fault` says what contradicts itself in the wallet's account, if anything does.
    """

    trail: int
    wallet_id: int
    address: Address
    balance: int
    passive_root: bytes | None
    passive_amount: int
    passive_marker: int
    state_id: int | None
    state_digest: bytes | None
    fault: str | None = None


def read_leaves(connection: Connection, turn: TokenTurn) -> Iterator[Leaf]:
    """Read every leaf of a token in trail order, a few thousand rows at a time."""
    arguments = {"eon": turn.eon, "token": turn.token_id, "count": turn.count}
    streamed = {"yield_per": FETCH_ROWS}
    received_rows = connection.execute(_RECEIPTS, arguments, execution_options=streamed)
    receipts = groupby(received_rows, key=itemgetter(0))
    waiting = next(receipts, None)
    for row in connection.execute(_ACCOUNTS, arguments, execution_options=streamed):
        received = None
        if waiting is not None and waiting[0] == row.trail_identifier:
            received = [_receipt(receipt, turn, row) for receipt in waiting[1]]
            waiting = next(receipts, None)
        yield _leaf(row, turn, received)


def _receipt(receipt: Any, turn: TokenTurn, recipient: Any) -> PassiveLeaf:
    _, sender, amount, nonce, position = receipt
    digest = transfer_leaf(
        counterparty=bytes(sender),
        amount=amount,
        recipient_trail=recipient.trail_identifier,
        position=position,
        nonce=nonce,
    )
    return PassiveLeaf(digest, position, position + amount)


def _leaf(row: Any, turn: TokenTurn, received: list[PassiveLeaf] | None) -> Leaf:
    address = bytes(row.address)
    leaf = Leaf(
        trail=row.trail_identifier,
        wallet_id=row.id,
        address=address,
        balance=row.balance,
        passive_root=None,
        passive_amount=0,
        passive_marker=row.passive_marker,
        state_id=row.state_id,
        state_digest=None,
    )
    if row.state_id is not None:
        leaf.state_digest = active_state_digest(
            contract=turn.contract,
            token=turn.address,
            wallet=address,
            trail=leaf.trail,
            eon=turn.eon,
            tx_set_root=bytes(row.tx_set_hash),
            spent=row.spent,
            gained=row.gained,
        )
        if not row.signed:
            leaf.fault = "the committed state is not countersigned"
    if received is not None:
        _add_receipts(leaf, received)
    if len(received or ()) != row.receipt_count or leaf.passive_amount != row.receipt_total:
        leaf.fault = "the receipts differ from their running total"
    return leaf


def _add_receipts(leaf: Leaf, received: list[PassiveLeaf]) -> None:
    leaf.passive_amount = received[-1].right
    try:
        leaf.passive_root = passive_root(received)
    except InvalidIntervals as error:
        leaf.passive_root, leaf.fault = ZERO_HASH, str(error)
