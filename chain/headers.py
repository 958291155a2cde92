"""Following the chain: ranges of blocks that hang together, and where a reorganisation began."""

from collections.abc import Sequence
from dataclasses import dataclass

from chain.blocks import BlockHeader
from chain.errors import Branch, BrokenContinuity, DeepReorganisation, HeadMoved, NodeBehind
from chain.events import ChainEvent
from chain.logs import fetch_events
from chain.node import MAX_BATCH, Node
from protocol.address import Address


@dataclass(frozen=True, slots=True)
class RangeReading:
    """Consecutive blocks and the contract's events in them, both from one branch."""

    headers: tuple[BlockHeader, ...]
    events: tuple[ChainEvent, ...]


def read_range(node: Node, contract: Address, first: int, last: int) -> RangeReading:
    """Read blocks `first` to `last` (at most MAX_BATCH) with the contract's events.

    Raises BrokenContinuity or HeadMoved when the chain changed while it was read, NodeBehind when
    the node has no block `last`.
    """
    headers = node.headers(range(first, last + 1))
    require_continuity(headers)
    events = fetch_events(node, contract, first, last)
    hashes = {header.number: header.block_hash for header in headers}
    for event in events:
        if hashes[event.block_number] != event.block_hash:
            raise HeadMoved(f"block {event.block_number} was replaced while it was read")
    return RangeReading(headers, tuple(events))


def require_continuity(headers: Sequence[BlockHeader], parent: Branch | None = None) -> None:
    """Raise BrokenContinuity unless each block names the one before it as its parent.

    `parent` is the block that the first of them must stand on, if there is one.
    """
    before = parent
    for header in headers:
        if before is not None and (header.number, header.parent_hash) != (
            before.number + 1,
            before.block_hash,
        ):
            raise BrokenContinuity(
                f"block {header.number} stands on {header.parent_hash.hex()}, "
                f"not on block {before.number} {before.block_hash.hex()}"
            )
        before = Branch(header.number, header.block_hash)


def find_common_ancestor(
    node: Node, stored: Sequence[Branch], *, newest_confirmed: int
) -> Branch | None:
    """The newest stored block that is still in the node's chain.

    `stored` is our chain, newest first, without gaps, down to `newest_confirmed` (at most
    MAX_BATCH blocks are compared in one question). The node's chain may be shorter than ours.
    Raises DeepReorganisation when even the confirmed block is gone. None when nothing is stored.
    """
    head = node.head().number
    for start in range(0, len(stored), MAX_BATCH):
        candidates = [one for one in stored[start : start + MAX_BATCH] if one.number <= head]
        theirs = node.headers([one.number for one in candidates])
        for ours, found in zip(candidates, theirs, strict=True):
            if ours.block_hash == found.block_hash:
                return ours
            if ours.number <= newest_confirmed:
                raise DeepReorganisation(ours, Branch(found.number, found.block_hash))
    if not stored:
        return None
    lowest = stored[-1]
    if lowest.number > newest_confirmed:
        raise ValueError("the stored blocks do not reach down to the newest confirmed one")
    raise DeepReorganisation(lowest, None)


def newest_shared(node: Node, stored: Sequence[Branch]) -> Branch | None:
    """The first of some stored blocks (at most MAX_BATCH) that is in the node's chain too."""
    head = node.head().number
    present = [one for one in stored if one.number <= head]
    theirs = node.headers([one.number for one in present])
    for ours, found in zip(present, theirs, strict=True):
        if ours.block_hash == found.block_hash:
            return ours
    return None


def has_left(node: Node, block: Branch) -> bool:
    """Whether a stored block is no longer in the node's chain."""
    try:
        return node.header(block.number).block_hash != block.block_hash
    except NodeBehind:
        return True
