"""Proofs cut out of a checkpoint's stored trees. Amounts in smallest units, digests 32 bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AllotmentProof:
    """A wallet's leaf in the checkpoint of `eon`: interval, path to the root, and what it is of.

    `allotment_chain` and `values` lead from the leaf to the token's balance root and
    `membership_chain` from there to the checkpoint's root. The last five members describe the eon
    before; without an entry the state's digest is zero and its id None, without receipts the
    passive root is zero.
    """

    wallet_id: int
    eon: int
    left: int
    right: int
    allotment_chain: tuple[bytes, ...]
    values: tuple[int, ...]
    membership_chain: tuple[bytes, ...]
    trail: int
    active_state_digest: bytes
    active_state_id: int | None
    passive_root: bytes
    passive_amount: int
    passive_marker: int


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """A receipt's place in what its recipient's leaf commits to.

    `values` are the edges beside the path in a passive tree, None for an order in a set.
    """

    transfer_id: int
    chain: tuple[bytes, ...]
    trail: int
    values: tuple[int, ...] | None
