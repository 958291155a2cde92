"""The balance tree: one token's exclusive balance allotments at the end of an eon.

Wallets stand in trail order on a line from 0; each owns the stretch as long as its balance. A leaf
commits to the owner, its last active state and what it received passively. Money in the contract
that no wallet owns becomes one more leaf for the operator after the wallets.
"""

from collections.abc import Sequence

from protocol.address import ZERO_ADDRESS, Address, hashed_address
from protocol.encoding import MAX_U256, ZERO_HASH, OutOfRange, u256
from protocol.errors import ProtocolError
from protocol.keccak import keccak256
from protocol.trees.interval import WORD, IntervalProof, IntervalTree, padding_chain, walk
from protocol.trees.plain import InvalidProof, height_of

_NOTHING_PASSIVE = keccak256(bytes(3 * WORD))
_HASH_OF_ZERO_ADDRESS = hashed_address(ZERO_ADDRESS)
_PADDING_INNER = keccak256(3 * _HASH_OF_ZERO_ADDRESS + _NOTHING_PASSIVE + ZERO_HASH)


class InvalidLevels(ProtocolError):
    """Stored bytes are not the levels of a balance tree."""


def inner_digest(
    *,
    contract: Address,
    token: Address,
    wallet: Address,
    active_digest: bytes,
    passive_root: bytes,
    passive_amount: int,
    passive_marker: int,
) -> bytes:
    """Hash everything in a leaf but its interval to 32 bytes.

    `active_digest` is the committed active state's, 32 zero bytes without one. `passive_amount` is
    what the wallet received passively in the eon; `passive_marker` the position of its last
    transaction if that is an outgoing transfer, otherwise 0.
    """
    prefix = hashed_address(contract) + hashed_address(token)
    return _inner(prefix, wallet, active_digest, passive_root, passive_amount, passive_marker)


def leaf_digest(inner: bytes, left: int, right: int) -> bytes:
    """Wrap an inner digest in its interval `[left, right)`, in base units."""
    return keccak256(u256(left) + inner + u256(right))


def padding_leaf(upper_bound: int) -> bytes:
    """Hash the leaf that fills a tree up to a power of two: nobody's, empty, at the upper bound."""
    return leaf_digest(_PADDING_INNER, upper_bound, upper_bound)


def _inner(
    prefix: bytes, wallet: Address, active: bytes, root: bytes, amount: int, marker: int
) -> bytes:
    if len(active) != WORD or len(root) != WORD:
        raise ProtocolError("digests have 32 bytes")
    if amount or marker or root != ZERO_HASH:
        passive = keccak256(root + u256(amount) + u256(marker))
    else:
        passive = _NOTHING_PASSIVE
    return keccak256(prefix + hashed_address(wallet) + passive + active)


class BalanceLeaves:
    """The leaves of one token's tree, added in trail order and kept as two arrays."""

    __slots__ = ("_edge", "_edges", "_hashes", "_prefix", "_right_word")

    def __init__(self, *, contract: Address, token: Address) -> None:
        self._prefix = hashed_address(contract) + hashed_address(token)
        self._hashes = bytearray()
        self._edge = 0
        self._right_word = bytes(WORD)
        self._edges = bytearray(self._right_word)

    @property
    def upper_bound(self) -> int:
        """The right edge of the last leaf, in base units."""
        return self._edge

    def __len__(self) -> int:
        return len(self._hashes) // WORD

    def add(
        self,
        wallet: Address,
        balance: int,
        *,
        active_digest: bytes = ZERO_HASH,
        passive_root: bytes = ZERO_HASH,
        passive_amount: int = 0,
        passive_marker: int = 0,
    ) -> tuple[int, int]:
        """Append a wallet's allotment of `balance` base units; return its interval.

        Raises `OutOfRange` for a negative balance or a sum beyond 2^256 - 1.
        """
        right = self._edge + balance
        if balance < 0 or right > MAX_U256:
            raise OutOfRange("an allotment is neither negative nor does it end beyond 2^256 - 1")
        inner = _inner(
            self._prefix, wallet, active_digest, passive_root, passive_amount, passive_marker
        )
        left, left_word = self._edge, self._right_word
        self._right_word = right.to_bytes(WORD, "big")
        self._hashes += keccak256(left_word + inner + self._right_word)
        self._edges += self._right_word
        self._edge = right
        return left, right

    def tree(self) -> "BalanceTree":
        """Build the tree over the leaves added so far."""
        return BalanceTree.build(bytes(self._hashes), bytes(self._edges))


class BalanceTree:
    """One token's balance tree with all its levels, as arrays of 32-byte words."""

    __slots__ = ("intervals",)

    def __init__(self, intervals: IntervalTree) -> None:
        self.intervals = intervals

    @classmethod
    def build(cls, leaf_hashes: bytes, edges: bytes) -> "BalanceTree":
        """Build from n leaf digests and n + 1 edges, each a run of 32-byte words in trail order.

        Raises `InvalidIntervals` if they do not fit.
        """
        upper_bound = int.from_bytes(edges[-WORD:], "big")
        return cls(IntervalTree.build(leaf_hashes, edges, padding_leaf(upper_bound)))

    @property
    def root(self) -> bytes:
        """The 32 bytes that commit to every allotment of the token."""
        return self.intervals.root

    @property
    def upper_bound(self) -> int:
        """The right edge of the last leaf: all the money that the tree allots."""
        return self.intervals.upper_bound

    @property
    def count(self) -> int:
        """The number of leaves without padding."""
        return self.intervals.count

    def interval(self, index: int) -> tuple[int, int]:
        """Tell the interval of the leaf at trail `index`. Raises `NoSuchLeaf`."""
        return self.intervals.interval(index)

    def proof(self, index: int) -> IntervalProof:
        """Prove the leaf at trail `index`. Raises `NoSuchLeaf`."""
        return self.intervals.proof(index)

    def levels_to_bytes(self) -> list[bytes]:
        """List what to store: the edges, then the hashes of each level, leaves first."""
        return [self.intervals.edges, *self.intervals.levels]

    @classmethod
    def levels_from_bytes(cls, stored: Sequence[bytes]) -> "BalanceTree":
        """Read what `levels_to_bytes` listed without hashing again. Raises `InvalidLevels`."""
        if len(stored) < 2:
            raise InvalidLevels("a tree has edges and at least one level")
        edges, *levels = stored
        count = len(edges) // WORD - 1
        sizes = [max(-(-count >> height), 1) * WORD for height in range(height_of(count) + 1)]
        if len(edges) % WORD or [len(level) for level in levels] != sizes:
            raise InvalidLevels("the sizes of the levels do not fit the number of leaves")
        padding = padding_hashes(int.from_bytes(edges[-WORD:], "big"), len(levels) - 1)
        return cls(IntervalTree(count, edges, tuple(levels), tuple(padding)))


def padding_hashes(upper_bound: int, height: int) -> list[bytes]:
    """Hash subtrees of nothing but padding leaves, by height from 0 to `height`.

    With them `protocol.trees.interval.prove` proves a leaf out of stored levels without loading
    the tree.
    """
    return padding_chain(padding_leaf(upper_bound), u256(upper_bound), height)


def verify_balance_proof(
    inner: bytes,
    left: int,
    right: int,
    index: int,
    hashes: Sequence[bytes],
    values: Sequence[int],
    *,
    root: bytes,
    upper_bound: int,
) -> bool:
    """Tell whether the leaf of `inner` owns `[left, right)` at trail `index` under `root`."""
    if len(inner) != WORD or any(len(sibling) != WORD for sibling in hashes):
        return False
    try:
        leaf = leaf_digest(inner, left, right)
        return walk(leaf, left, right, index, hashes, values) == (root, upper_bound)
    except (InvalidProof, OutOfRange):
        return False
