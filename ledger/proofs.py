"""Proofs out of stored trees: an allotment under its root, a receipt under its wallet's leaf.

Nothing is written for a wallet that never asks. A proof reads one word a level of the stored
levels; only a wallet's own receipts are hashed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from ledger.orders.sets import SetKey, read_sets
from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.transfers import transfer_leaf
from protocol.trees.balance import inner_digest, padding_hashes
from protocol.trees.interval import prove
from protocol.trees.passive import PassiveLeaf, passive_tree
from protocol.trees.plain import PlainTree, height_of

WORD: Final = 32
Node: TypeAlias = tuple[int, int, int]
"""Token id, height and position in the level."""
Edge: TypeAlias = tuple[int, int]
"""Token id and position among the edges of the leaves."""

_ALLOTMENTS: Final = text("""
SELECT a.wallet_id, w.token_id, w.trail_identifier, a.left_bound, a.right_bound, a.passive_root,
       a.passive_amount, a.passive_marker, a.active_state_id, a.active_state_digest,
       c.leaf_count, c.upper_bound, c.balance_root, c.membership_hashes
FROM exclusive_balance_allotment a
JOIN wallet w ON w.id = a.wallet_id
JOIN token_commitment c ON c.eon = a.eon AND c.token_id = w.token_id
WHERE a.eon = :eon AND a.wallet_id = ANY(:wallets)
""")
_HASHES: Final = text("""
SELECT n.token, n.height, n.position,
       substring(l.hashes FROM CAST(n.position * 32 + 1 AS int) FOR 32)
FROM unnest(:tokens ::bigint[], :heights ::bigint[], :positions ::bigint[])
     AS n (token, height, position)
JOIN balance_tree_level l ON l.eon = :eon AND l.token_id = n.token AND l.level = n.height
""")
_EDGES: Final = text("""
SELECT n.token, n.position, substring(l.bounds FROM CAST(n.position * 32 + 1 AS int) FOR 32)
FROM unnest(:tokens ::bigint[], :positions ::bigint[]) AS n (token, position)
JOIN balance_tree_level l ON l.eon = :eon AND l.token_id = n.token AND l.level = 0
""")
_COMMITTED_RECEIPTS: Final = text("""
SELECT t.id, t.recipient_id, t.eon, t.swap, t.receipt_index
FROM transfer t
WHERE t.id = ANY(:transfers) AND t.appended AND NOT t.voided
  AND EXISTS (SELECT FROM root_commitment c WHERE c.eon = t.eon + 1)
""")
_RECEIPTS: Final = text("""
SELECT s.address, r.trail_identifier, t.amount, t.position, t.nonce
FROM transfer t JOIN wallet s ON s.id = t.sender_id JOIN wallet r ON r.id = t.recipient_id
WHERE t.recipient_id = :recipient AND t.eon = :eon AND t.passive AND NOT t.voided
ORDER BY t.receipt_index
""")


@dataclass(frozen=True, slots=True)
class AllotmentProof:
    """A wallet's allotment in a checkpoint with all that its leaf was made of. Base units.

    `hashes` and `values` lead from the leaf at `trail` to `balance_root`; `membership_hashes` from
    the token's leaf to the checkpoint's root. The state and the passive members tell of the eon
    before; `active_state_digest` is None for a wallet without an entry in it, `passive_root` for
    one without a receipt.
    """

    wallet_id: int
    eon: int
    trail: int
    left: int
    right: int
    hashes: tuple[bytes, ...]
    values: tuple[int, ...]
    membership_hashes: tuple[bytes, ...]
    balance_root: bytes
    upper_bound: int
    active_state_id: int | None
    active_state_digest: bytes | None
    passive_root: bytes | None
    passive_amount: int
    passive_marker: int

    def inner(self, contract: Address, token: Address, wallet: Address) -> bytes:
        """The digest of what the leaf holds beside its bounds."""
        return inner_digest(
            contract=contract,
            token=token,
            wallet=wallet,
            active_digest=self.active_state_digest or ZERO_HASH,
            passive_root=self.passive_root or ZERO_HASH,
            passive_amount=self.passive_amount,
            passive_marker=self.passive_marker,
        )


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """That a transfer was delivered: its place in its recipient's receipts of the eon.

    `values` is None for an order, whose path leads to the root of the recipient's own set.
    """

    index: int
    hashes: tuple[bytes, ...]
    values: tuple[int, ...] | None


def allotment_proof(session: Session, wallet_id: int, eon: int) -> AllotmentProof | None:
    """Prove a wallet's allotment in the checkpoint of `eon`; None if it has none."""
    return allotment_proofs(session, [wallet_id], eon).get(wallet_id)


def allotment_proofs(
    session: Session, wallet_ids: Iterable[int], eon: int
) -> dict[int, AllotmentProof]:
    """Prove allotments in the checkpoint of `eon`, by wallet id, in three statements.

    Wallets without an allotment are left out, as are all while the checkpoint does not exist.
    """
    rows = session.execute(_ALLOTMENTS, {"eon": eon, "wallets": list(wallet_ids)}).all()
    # A first pass over nothing notes which words the proofs are made of.
    nodes: defaultdict[Node, bytes] = defaultdict(bytes)
    edges: defaultdict[Edge, int] = defaultdict(int)
    for row in rows:
        _prove(row, nodes.__getitem__, edges.__getitem__)
    hashes = _read_hashes(session, eon, sorted(nodes))
    values = _read_edges(session, eon, sorted(edges))
    padding: dict[int, list[bytes]] = {}
    for row in rows:
        if row.token_id not in padding:
            padding[row.token_id] = padding_hashes(row.upper_bound, height_of(row.leaf_count))

    def hash_of(node: Node) -> bytes:
        return hashes.get(node) or padding[node[0]][node[1]]

    return {
        row.wallet_id: _allotment_proof(row, eon, *_prove(row, hash_of, values.__getitem__))
        for row in rows
    }


def _prove(
    row: Row[Any], hash_of: Callable[[Node], bytes], edge_of: Callable[[Edge], int]
) -> tuple[list[bytes], list[int]]:
    return prove(
        row.leaf_count,
        row.trail_identifier,
        hash_at=lambda height, position: hash_of((row.token_id, height, position)),
        edge_at=lambda position: edge_of((row.token_id, position)),
    )


def _allotment_proof(
    row: Row[Any], eon: int, hashes: Sequence[bytes], values: Sequence[int]
) -> AllotmentProof:
    return AllotmentProof(
        wallet_id=row.wallet_id,
        eon=eon,
        trail=row.trail_identifier,
        left=row.left_bound,
        right=row.right_bound,
        hashes=tuple(hashes),
        values=tuple(values),
        membership_hashes=tuple(_words(row.membership_hashes)),
        balance_root=bytes(row.balance_root),
        upper_bound=row.upper_bound,
        active_state_id=row.active_state_id,
        active_state_digest=_optional(row.active_state_digest),
        passive_root=_optional(row.passive_root),
        passive_amount=row.passive_amount,
        passive_marker=row.passive_marker,
    )


def _read_hashes(session: Session, eon: int, nodes: Sequence[Node]) -> dict[Node, bytes]:
    if not nodes:
        return {}
    tokens, heights, positions = (list(column) for column in zip(*nodes, strict=True))
    arguments = {"eon": eon, "tokens": tokens, "heights": heights, "positions": positions}
    return {(row[0], row[1], row[2]): bytes(row[3]) for row in session.execute(_HASHES, arguments)}


def _read_edges(session: Session, eon: int, edges: Sequence[Edge]) -> dict[Edge, int]:
    if not edges:
        return {}
    tokens, positions = (list(column) for column in zip(*edges, strict=True))
    arguments = {"eon": eon, "tokens": tokens, "positions": positions}
    return {
        (row[0], row[1]): int.from_bytes(row[2], "big")
        for row in session.execute(_EDGES, arguments)
    }


def receipt_proofs(session: Session, transfer_ids: Iterable[int]) -> dict[int, ReceiptProof]:
    """Prove deliveries, by transfer id, once the checkpoint after their eon exists.

    The receipts of each recipient and eon among them are read and hashed once. An order is a
    receipt of its credit wallet, proven in that wallet's own set.
    """
    rows = session.execute(_COMMITTED_RECEIPTS, {"transfers": list(transfer_ids)}).all()
    proofs: dict[int, ReceiptProof] = {}
    by_tree: dict[SetKey, list[Row[Any]]] = defaultdict(list)
    orders: dict[SetKey, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        (orders if row.swap else by_tree)[row.recipient_id, row.eon].append(row)
    for (recipient_id, eon), receipts in by_tree.items():
        tree = passive_tree(read_receipts(session, recipient_id, eon))
        for row in receipts:
            found = tree.proof(row.receipt_index)
            proofs[row.id] = ReceiptProof(
                row.receipt_index, tuple(found.hashes), tuple(found.values)
            )
    if orders:
        for key, entries in read_sets(session, orders).items():
            places = {entry.transfer_id: place for place, entry in enumerate(entries)}
            set_tree = PlainTree([entry.leaf for entry in entries])
            for row in orders[key]:
                place = places[row.id]
                proofs[row.id] = ReceiptProof(place, tuple(set_tree.path(place)), None)
    return proofs


def read_receipts(session: Session, recipient_id: int, eon: int) -> list[PassiveLeaf]:
    """Read what a wallet received in an eon, as the leaves of its passive tree, in order."""
    arguments = {"recipient": recipient_id, "eon": eon}
    return [
        PassiveLeaf(
            transfer_leaf(
                counterparty=bytes(row.address),
                amount=row.amount,
                recipient_trail=row.trail_identifier,
                position=row.position,
                nonce=row.nonce,
            ),
            row.position,
            row.position + row.amount,
        )
        for row in session.execute(_RECEIPTS, arguments)
    ]


def _words(joined: bytes | memoryview) -> list[bytes]:
    data = bytes(joined)
    return [data[start : start + WORD] for start in range(0, len(data), WORD)]


def _optional(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
