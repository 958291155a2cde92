"""The interval tree: leaves own adjoining stretches of a line from 0 to an upper bound.

A node commits to its left edge, the edge between its children and its right edge, so an allotment
cannot overlap another. Padding leaves are empty stretches at the upper bound. Hashes of a level
are one byte string and edges are kept once, n + 1 words for n leaves: node j of height h reaches
from edge j·2^h to edge (j + 1)·2^h, or to the last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from protocol.encoding import u256
from protocol.errors import ProtocolError
from protocol.keccak import keccak256
from protocol.trees.plain import LEVEL_PREFIXES, MAX_HEIGHT, InvalidProof, NoSuchLeaf, height_of

WORD = 32


class InvalidIntervals(ProtocolError):
    """Leaves and edges do not fit each other or do not ascend from 0."""


class IntervalProof(NamedTuple):
    """The siblings of a leaf and their outer edges, leaf level first."""

    hashes: list[bytes]
    values: list[int]


def interval_node(
    height: int, left_edge: bytes, left: bytes, middle: bytes, right: bytes, right_edge: bytes
) -> bytes:
    """Hash two children of the given height; edges are words of 32 bytes."""
    inner = keccak256(left + middle + right)
    return keccak256(LEVEL_PREFIXES[height] + left_edge + inner + right_edge)


def padding_chain(padding: bytes, upper: bytes, height: int) -> list[bytes]:
    """Hash subtrees of nothing but padding at the word `upper`, by height up to `height`."""
    chain = [padding]
    for level in range(height):
        chain.append(interval_node(level, upper, chain[-1], upper, chain[-1], upper))
    return chain


@dataclass(frozen=True, slots=True)
class IntervalTree:
    """All nodes of an interval tree in arrays: one byte string a level, none for padding.

    `edges` holds n + 1 words, `levels[h]` the hashes of height h, `padding` one hash a height.
    """

    count: int
    edges: bytes
    levels: tuple[bytes, ...]
    padding: tuple[bytes, ...]

    @classmethod
    def build(cls, leaf_hashes: bytes, edges: bytes, padding_leaf: bytes) -> "IntervalTree":
        """Hash n leaves (32·n bytes) with n + 1 edges (32·(n + 1) bytes) into a tree.

        Raises `InvalidIntervals` if the sizes differ or the first edge is not 0; that edges ascend
        is the business of whoever made them. The work is two hashes a node and no object a node.
        """
        count = len(leaf_hashes) // WORD
        if len(leaf_hashes) != count * WORD or len(edges) != (count + 1) * WORD:
            raise InvalidIntervals("n leaves have n + 1 edges of 32 bytes")
        if edges[:WORD] != bytes(WORD):
            raise InvalidIntervals("the first interval begins at 0")
        height = height_of(count)
        padding = padding_chain(padding_leaf, edges[-WORD:], height)
        levels = [leaf_hashes or padding_leaf]
        for level in range(height):
            levels.append(_level_above(levels[-1], level, edges, padding[level]))
        return cls(count, edges, tuple(levels), tuple(padding))

    @property
    def root(self) -> bytes:
        """The 32 bytes that commit to every leaf and its interval."""
        return self.levels[-1]

    @property
    def height(self) -> int:
        """The number of siblings in each leaf's proof."""
        return len(self.levels) - 1

    @property
    def upper_bound(self) -> int:
        """The right edge of the last leaf."""
        return int.from_bytes(self.edges[-WORD:], "big")

    def interval(self, index: int) -> tuple[int, int]:
        """Tell the left and right edge of a leaf. Raises `NoSuchLeaf`."""
        if not 0 <= index < self.count:
            raise NoSuchLeaf(f"the tree has no leaf {index}")
        return self._edge(index), self._edge(index + 1)

    def proof(self, index: int) -> IntervalProof:
        """Prove one leaf. Raises `NoSuchLeaf`."""
        return prove(self.count, index, hash_at=self._hash, edge_at=self._edge)

    def _edge(self, position: int) -> int:
        return int.from_bytes(self.edges[position * WORD : (position + 1) * WORD], "big")

    def _hash(self, height: int, position: int) -> bytes:
        return self.levels[height][position * WORD : (position + 1) * WORD] or self.padding[height]


def _level_above(below: bytes, height: int, edges: bytes, padding: bytes) -> bytes:
    """Join the nodes of one height in pairs; a lone last node gets padding beside it."""
    above = bytearray()
    prefix = LEVEL_PREFIXES[height]
    step = WORD << height
    last = len(edges) - WORD
    left_edge = 0
    for position in range(0, len(below), 2 * WORD):
        middle = min(left_edge + step, last)
        right_edge = min(middle + step, last)
        # Both children are adjacent in the level, but the middle edge goes between them.
        right = below[position + WORD : position + 2 * WORD] or padding
        inner = keccak256(below[position : position + WORD] + edges[middle : middle + WORD] + right)
        above += keccak256(
            prefix
            + edges[left_edge : left_edge + WORD]
            + inner
            + edges[right_edge : right_edge + WORD]
        )
        left_edge = right_edge
    return bytes(above)


def prove(
    count: int,
    index: int,
    *,
    hash_at: Callable[[int, int], bytes],
    edge_at: Callable[[int], int],
) -> IntervalProof:
    """Prove a leaf of a tree of `count` leaves from wherever its nodes are stored.

    `hash_at(height, position)` gives a node, padding where `position` lies beyond the last;
    `edge_at(position)` one of the n + 1 edges. One node and one edge are read per level, so a
    proof out of stored levels never loads the tree. Raises `NoSuchLeaf`.
    """
    if not 0 <= index < count:
        raise NoSuchLeaf(f"the tree has no leaf {index}")
    hashes, values = [], []
    for height in range(height_of(count)):
        position = index >> height
        sibling = position ^ 1
        outer = sibling if sibling < position else sibling + 1
        hashes.append(hash_at(height, sibling))
        values.append(edge_at(min(outer << height, count)))
    return IntervalProof(hashes, values)


def walk(
    digest: bytes,
    left: int,
    right: int,
    index: int,
    hashes: Sequence[bytes],
    values: Sequence[int],
) -> tuple[bytes, int]:
    """Climb from a leaf to the root as the contract does; return root and upper bound.

    Raises `InvalidProof` where the contract refuses: lengths that differ, edges out of order, a
    left edge that is not 0 at the top, an index beyond the tree.
    """
    if len(hashes) != len(values) or len(hashes) > MAX_HEIGHT:
        raise InvalidProof("a proof has one value per hash")
    if index < 0 or index >> len(hashes):
        raise InvalidProof("the index lies outside of a tree of the proof's height")
    if not 0 <= left <= right:
        raise InvalidProof("an interval ends where it begins or later")
    for height, (sibling, value) in enumerate(zip(hashes, values, strict=True)):
        if (index >> height) & 1:
            if value > left:
                raise InvalidProof("a left sibling begins to the left")
            digest = interval_node(height, u256(value), sibling, u256(left), digest, u256(right))
            left = value
        else:
            if value < right:
                raise InvalidProof("a right sibling ends to the right")
            digest = interval_node(height, u256(left), digest, u256(right), sibling, u256(value))
            right = value
    if left:
        raise InvalidProof("the tree begins at 0")
    return digest, right
