"""The plain Merkle tree: under transaction sets and under the tokens of a checkpoint.

Leaves are used as they are and padded on the right with 32 zero bytes to a power of two. A node
hashes the height of its children, so no node passes for one of another height. The empty tree has
a root of 32 zero bytes, a tree of one leaf has that leaf as its root.
"""

from collections.abc import Sequence

from protocol.encoding import ZERO_HASH
from protocol.errors import ProtocolError
from protocol.keccak import keccak256

MAX_HEIGHT = 64
"""Trails have 64 bits on chain, so no tree is higher."""

LEVEL_PREFIXES = tuple(height.to_bytes(4, "big") for height in range(MAX_HEIGHT + 1))
"""The first four bytes of a node's preimage, by the height of its children."""


class InvalidProof(ProtocolError):
    """A proof does not lead to the root, or its index lies outside of the tree."""


class NoSuchLeaf(ProtocolError):
    """An index lies outside of the tree."""


def node(height: int, left: bytes, right: bytes) -> bytes:
    """Hash two children of the given height (leaves: 0) to their parent."""
    return keccak256(LEVEL_PREFIXES[height] + left + right)


def _zero_subtrees() -> tuple[bytes, ...]:
    roots = [ZERO_HASH]
    for height in range(MAX_HEIGHT):
        roots.append(node(height, roots[-1], roots[-1]))
    return tuple(roots)


ZERO_SUBTREES = _zero_subtrees()
"""Roots of subtrees without leaves, by height, 0 to 64."""


def height_of(count: int) -> int:
    """Tell the height of a tree of `count` leaves: 0 for none and one."""
    return (count - 1).bit_length() if count else 0


class PlainTree:
    """A tree over known leaves, kept with all its nodes so that each leaf can be proven."""

    __slots__ = ("_levels",)

    def __init__(self, leaves: Sequence[bytes]) -> None:
        levels = [list(leaves) or [ZERO_HASH]]
        for height in range(height_of(len(leaves))):
            below = levels[-1]
            if len(below) % 2:
                below = [*below, ZERO_SUBTREES[height]]
            levels.append([node(height, below[i], below[i + 1]) for i in range(0, len(below), 2)])
        self._levels = levels

    @property
    def root(self) -> bytes:
        """The 32 bytes that commit to every leaf and its index."""
        return self._levels[-1][0]

    @property
    def height(self) -> int:
        """The number of siblings in each leaf's path."""
        return len(self._levels) - 1

    def path(self, index: int) -> list[bytes]:
        """List the siblings of a leaf, leaf level first. Raises `NoSuchLeaf`."""
        if not 0 <= index < len(self._levels[0]):
            raise NoSuchLeaf(f"the tree has no leaf {index}")
        siblings = []
        for height, level in enumerate(self._levels[:-1]):
            sibling = (index >> height) ^ 1
            siblings.append(level[sibling] if sibling < len(level) else ZERO_SUBTREES[height])
        return siblings


def root(leaves: Sequence[bytes]) -> bytes:
    """Hash leaves of 32 bytes to their root."""
    return PlainTree(leaves).root


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """List the siblings of one leaf, leaf level first. Raises `NoSuchLeaf`."""
    return PlainTree(leaves).path(index)


def root_from_path(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    """Compute the root to which a path leads. Raises `InvalidProof`.

    An index with bits above the path is refused: the published contract ignores such bits, so one
    leaf would have many indices.
    """
    if index < 0 or index >> len(siblings) or len(siblings) > MAX_HEIGHT:
        raise InvalidProof("the index lies outside of a tree of the proof's height")
    value = leaf
    for height, sibling in enumerate(siblings):
        if (index >> height) & 1:
            value = node(height, sibling, value)
        else:
            value = node(height, value, sibling)
    return value


def verify_path(leaf: bytes, index: int, siblings: Sequence[bytes], root: bytes) -> bool:
    """Tell whether `leaf` stands at `index` under `root`."""
    if len(leaf) != 32 or any(len(sibling) != 32 for sibling in siblings):
        return False
    try:
        return root_from_path(leaf, index, siblings) == root
    except InvalidProof:
        return False
