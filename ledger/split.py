"""A chain that parts from what was confirmed here: nothing is credited until a person decides.

Both branches are kept. The head view follows the node's; what the confirmed one did to the ledger
stands. If the node's chain comes back to the old branch, the split is over by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from ledger.refusals import LedgerInvariant
from models import ChainEvent, ChainView, ContractState


@dataclass(frozen=True, slots=True)
class Split:
    """`block` is the last that both branches share, `old_hash` the newest that was confirmed."""

    block: int
    old_hash: bytes


class ChainSplit(LedgerInvariant):
    """The node's chain has parted from what was confirmed: a person decides which one counts."""


def read_split(session: Session, *, lock: bool = False) -> Split | None:
    """The split that stands, if one does; `lock`: nobody ends it until the transaction ends."""
    view = session.get(ChainView, 1, populate_existing=True, with_for_update=lock or None)
    if view is None or view.split_at is None or view.split_hash is None:
        return None
    return Split(view.split_at, bytes(view.split_hash))


def open_split(session: Session, block: int, old_hash: bytes) -> None:
    """The branches part after `block`; a split that stands keeps its old branch and deepens."""
    session.execute(
        update(ChainView).values(
            split_at=func.least(ChainView.split_at, block),
            split_hash=func.coalesce(ChainView.split_hash, old_hash),
            confirmed_block=func.least(ChainView.confirmed_block, block),
            intake="split",
        )
    )


def close_split(session: Session) -> None:
    """The branches are one again, or a person has decided."""
    session.execute(update(ChainView).values(split_at=None, split_hash=None))


def is_healed(session: Session, split: Split) -> bool:
    """Whether the old branch is the stored chain again, with everything that was applied."""
    is_back = session.scalar(
        select(exists().where(ContractState.block_hash == split.old_hash, ~ContractState.orphaned))
    )
    return bool(is_back) and not session.scalar(
        select(exists().where(ChainEvent.applied, ChainEvent.orphaned))
    )


def require_whole(session: Session) -> None:
    """Raise `ChainSplit` while the branches have parted."""
    split = read_split(session)
    if split is not None:
        raise ChainSplit(f"the chain has parted after block {split.block}")
