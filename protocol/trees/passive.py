"""The passive-delivery tree: what one wallet received in one eon without signing for it.

An interval tree over bare transfer leaves in order of receipt: the node at height 0 is the
transfer's leaf itself, its interval reaches from the transfer's position to position plus amount.
This is the form that the contract verifies. A wallet without receipts commits to 32 zero bytes; a
wallet that received only amounts of 0 commits to their real root.
"""

from collections.abc import Sequence
from typing import NamedTuple

from protocol.encoding import ZERO_HASH, OutOfRange, u256
from protocol.trees.interval import IntervalProof, IntervalTree, InvalidIntervals, walk
from protocol.trees.plain import InvalidProof


class PassiveLeaf(NamedTuple):
    """A received transfer: its leaf (32 bytes), its position and position plus amount."""

    digest: bytes
    left: int
    right: int


def passive_tree(leaves: Sequence[PassiveLeaf]) -> IntervalTree:
    """Build the tree of an eon's receipts in order. Raises `InvalidIntervals` for gaps."""
    edge = 0
    edges = [u256(edge)]
    for leaf in leaves:
        if len(leaf.digest) != 32:
            raise InvalidIntervals("a transfer's leaf has 32 bytes")
        if leaf.left != edge or leaf.right < edge:
            raise InvalidIntervals("receipts follow each other without gap")
        edge = leaf.right
        edges.append(u256(edge))
    return IntervalTree.build(b"".join(leaf.digest for leaf in leaves), b"".join(edges), ZERO_HASH)


def passive_root(leaves: Sequence[PassiveLeaf]) -> bytes:
    """Compute the root of an eon's receipts; 32 zero bytes without any."""
    return passive_tree(leaves).root


def passive_proof(leaves: Sequence[PassiveLeaf], index: int) -> IntervalProof:
    """Prove that the receipt at `index` was delivered. Raises `NoSuchLeaf`."""
    return passive_tree(leaves).proof(index)


def verify_passive_proof(
    leaf: PassiveLeaf,
    index: int,
    hashes: Sequence[bytes],
    values: Sequence[int],
    *,
    root: bytes,
    passive_amount: int,
) -> bool:
    """Tell whether a receipt stands in the passive tree that a balance leaf commits to."""
    if len(leaf.digest) != 32 or any(len(sibling) != 32 for sibling in hashes):
        return False
    try:
        return walk(leaf.digest, leaf.left, leaf.right, index, hashes, values) == (
            root,
            passive_amount,
        )
    except (InvalidProof, OutOfRange):
        return False
