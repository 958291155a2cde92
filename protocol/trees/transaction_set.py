"""A wallet's transaction set of one eon, grown leaf by leaf.

`Frontier` keeps only the roots of the complete subtrees on the left edge, at most one per height,
so appending, the root and the newest leaf's path cost one hash per level however long the set is.
The newest leaf may still change (a transfer learns its position, an order's leaf follows its
fate): keep the frontier of the leaves before it and ask `root_with` for the root as it stands.
"""

from dataclasses import dataclass

from protocol.encoding import ZERO_HASH
from protocol.errors import ProtocolError
from protocol.keccak import keccak256
from protocol.trees.plain import LEVEL_PREFIXES, ZERO_SUBTREES, height_of


class InvalidFrontier(ProtocolError):
    """Stored bytes are not a frontier."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees of a set of `count` leaves; `peaks` are their roots, tallest first.

    Bit h of `count` tells whether there is a peak of height h.
    """

    count: int
    peaks: tuple[bytes, ...]

    def append(self, leaf: bytes) -> "Frontier":
        """Return the frontier with one more leaf of 32 bytes."""
        remaining = len(self.peaks)
        height = 0
        value = leaf
        while (self.count >> height) & 1:
            remaining -= 1
            value = keccak256(LEVEL_PREFIXES[height] + self.peaks[remaining] + value)
            height += 1
        return Frontier(self.count + 1, (*self.peaks[:remaining], value))

    def root_with(self, leaf: bytes) -> bytes:
        """Compute the root as if `leaf` were appended."""
        count = self.count
        remaining = len(self.peaks)
        value = leaf
        for height in range(count.bit_length()):
            if (count >> height) & 1:
                remaining -= 1
                value = keccak256(LEVEL_PREFIXES[height] + self.peaks[remaining] + value)
            else:
                value = keccak256(LEVEL_PREFIXES[height] + value + ZERO_SUBTREES[height])
        return value

    def path_with(self) -> list[bytes]:
        """List the siblings that the next leaf will have, leaf level first.

        They fit the root of `root_with` and that root only; the leaf's index is `count`.
        """
        siblings = []
        remaining = len(self.peaks)
        for height in range(self.count.bit_length()):
            if (self.count >> height) & 1:
                remaining -= 1
                siblings.append(self.peaks[remaining])
            else:
                siblings.append(ZERO_SUBTREES[height])
        return siblings

    def root(self) -> bytes:
        """Compute the root of the set; 32 zero bytes while it is empty."""
        if not self.count:
            return ZERO_HASH
        remaining = len(self.peaks) - 1
        value = self.peaks[remaining]
        smallest = (self.count & -self.count).bit_length() - 1
        # The index of the smallest peak among the nodes of its height.
        index = (self.count >> smallest) - 1
        for height in range(smallest, height_of(self.count)):
            if index & 1:
                remaining -= 1
                value = keccak256(LEVEL_PREFIXES[height] + self.peaks[remaining] + value)
            else:
                value = keccak256(LEVEL_PREFIXES[height] + value + ZERO_SUBTREES[height])
            index >>= 1
        return value

    def heights(self) -> list[int]:
        """List the heights of the peaks, tallest first."""
        return [h for h in reversed(range(self.count.bit_length())) if (self.count >> h) & 1]

    def to_bytes(self) -> bytes:
        """Serialise: 8 bytes of count and 32 bytes per peak."""
        return self.count.to_bytes(8, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Frontier":
        """Read what `to_bytes` wrote. Raises `InvalidFrontier`."""
        count = int.from_bytes(data[:8], "big")
        if len(data) != 8 + 32 * count.bit_count():
            raise InvalidFrontier("the number of peaks does not fit the number of leaves")
        return cls(count, tuple(data[i : i + 32] for i in range(8, len(data), 32)))


EMPTY = Frontier(0, ())
"""The frontier of a set without transactions."""
