"""The parent chain's blocks and events as seen: stored, orphaned by a reorganisation, confirmed.

Nothing here moves money; events do once their block is confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.chain_accumulator import extend
from ledger.challenges.settling import orphan_challenges
from ledger.refusals import LedgerInvariant
from models import ChainEvent, ContractState
from protocol.clock import EonClock

HIGHEST: Final = 2**62
LONGEST_UNCONFIRMED_BLOCKS: Final = 20_000
"""More unconfirmed blocks than any confirmation depth leaves are never loaded."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the node's chain; `timestamp` in Unix seconds."""

    number: int
    block_hash: bytes
    parent_hash: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class ObservedEvent:
    """One event; `arguments` has bytes as hexadecimal digits, integers as decimal strings."""

    block: int
    block_hash: bytes
    log_index: int
    transaction_hash: bytes
    name: str
    arguments: Mapping[str, Any]


class AppliedEventsOrphaned(LedgerInvariant):
    """Blocks to be given up hold events that have moved money: a person must undo that first."""


def newest_block(session: Session) -> Block | None:
    """The newest canonical block that is stored."""
    return next(iter(_blocks(session, limit=1)), None)


def is_stored(session: Session, block_hash: bytes) -> bool:
    """Whether a block is of the stored chain."""
    found = select(ContractState.id).where(
        ContractState.block_hash == block_hash, ~ContractState.orphaned
    )
    return session.scalar(found) is not None


def unconfirmed_chain(session: Session) -> tuple[list[Block], int | None]:
    """The canonical blocks, newest first, down to the newest confirmed one, and its number.

    Before any is confirmed they go down to the first stored, and the number is None.
    """
    confirmed = session.scalar(select(func.max(ContractState.block)).where(ContractState.confirmed))
    blocks = _blocks(session, limit=LONGEST_UNCONFIRMED_BLOCKS, down_to=confirmed)
    return blocks, confirmed


def store_blocks(
    session: Session, clock: EonClock, blocks: Sequence[Block], events: Sequence[ObservedEvent]
) -> None:
    """Store consecutive blocks that stand on the newest stored one, with their events.

    A block that returns after having been orphaned becomes canonical again, with its events.
    """
    if not blocks:
        return
    _store_events(session, clock, events)
    bases = extend(session, clock, [block.number for block in blocks], events)
    rows = [
        {
            "block": block.number,
            "block_hash": block.block_hash,
            "parent_hash": block.parent_hash,
            "timestamp": block.timestamp,
            "basis": bases[block.number],
        }
        for block in blocks
    ]
    statement = insert(ContractState)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["block_hash"],
            set_={"orphaned": False, "basis": statement.excluded.basis},
        ),
        rows,
    )


def orphan_above(session: Session, ancestor: int, *, is_split: bool = False) -> int:
    """Give up every block above `ancestor`; returns how many events were seen only there.

    Raises `AppliedEventsOrphaned` if an event in them has been applied, except in a split, in
    which a person decides about them.
    """
    session.execute(
        update(ContractState)
        .where(ContractState.block > ancestor)
        .values(orphaned=True, confirmed=False)
    )
    applied = session.scalar(
        select(func.count()).where(
            ChainEvent.block > ancestor, ChainEvent.applied, ~ChainEvent.orphaned
        )
    )
    if applied and not is_split:
        raise AppliedEventsOrphaned(f"{applied} applied events above block {ancestor}")
    lost = session.scalars(
        update(ChainEvent)
        .where(ChainEvent.block > ancestor, ~ChainEvent.orphaned)
        .values(orphaned=True)
        .returning(ChainEvent.id)
    )
    orphan_challenges(session, ancestor)
    return len(lost.all())


def blocks_below(session: Session, height: int, limit: int) -> list[Block]:
    """The newest canonical blocks below a height, newest first."""
    return _blocks(session, limit=limit, below=height)


def confirm_blocks(session: Session, up_to: int) -> None:
    """Mark every canonical block up to `up_to` as confirmed."""
    session.execute(
        update(ContractState)
        .where(ContractState.block <= up_to, ~ContractState.confirmed, ~ContractState.orphaned)
        .values(confirmed=True)
    )


def _blocks(
    session: Session, *, limit: int, down_to: int | None = None, below: int | None = None
) -> list[Block]:
    rows = session.execute(
        select(
            ContractState.block,
            ContractState.block_hash,
            ContractState.parent_hash,
            ContractState.timestamp,
        )
        .where(
            ~ContractState.orphaned,
            ContractState.block >= (down_to or 0),
            ContractState.block < (HIGHEST if below is None else below),
        )
        .order_by(ContractState.block.desc())
        .limit(limit)
    )
    return [Block(row[0], bytes(row[1]), bytes(row[2]), row[3]) for row in rows]


def _store_events(session: Session, clock: EonClock, events: Sequence[ObservedEvent]) -> None:
    if not events:
        return
    rows = [
        {
            "block": event.block,
            "block_hash": event.block_hash,
            "log_index": event.log_index,
            "transaction_hash": event.transaction_hash,
            "eon": clock.eon_of(event.block),
            "name": event.name,
            "arguments": dict(event.arguments),
        }
        for event in events
    ]
    session.execute(
        insert(ChainEvent).on_conflict_do_update(
            index_elements=["block_hash", "log_index"], set_={"orphaned": False}
        ),
        rows,
    )
