"""The contract's accumulator recomputed from its events: what a checkpoint is bound to.

A difference to the contract's own value means that an event was lost, or that somebody did
something that emits none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.refusals import LedgerInvariant
from models import ChainEvent, ContractState
from protocol.accumulator import ACCUMULATOR_SLOTS, Operation, accumulate
from protocol.clock import EonClock
from protocol.encoding import ZERO_HASH

_ADDING = {"Deposit": Operation.DEPOSIT, "WithdrawalRequest": Operation.WITHDRAWAL_REQUEST}
_SLASH = "WithdrawalSlashed"


class AccumulatingEvent(Protocol):
    """What is read of an event, stored or just observed."""

    @property
    def name(self) -> str:
        """The event's name in the interface."""

    @property
    def arguments(self) -> Any:
        """Its members: bytes as hexadecimal digits, integers as decimal strings."""


class _Observed(AccumulatingEvent, Protocol):
    @property
    def block(self) -> int: ...


def extend(
    session: Session, clock: EonClock, blocks: Sequence[int], events: Iterable[_Observed]
) -> dict[int, bytes]:
    """The accumulator of each block's eon after that block.

    `blocks` follow on what is stored; their `events` are in chain order.
    """
    by_block: dict[int, list[_Observed]] = defaultdict(list)
    for event in events:
        by_block[event.block].append(event)
    values: dict[int, bytes] = {}
    eon, value = clock.eon_of(blocks[0]), _before(session, clock, blocks[0])
    for block in blocks:
        if clock.eon_of(block) != eon:
            eon = clock.eon_of(block)
            value = _at_end(session, clock, eon - ACCUMULATOR_SLOTS, values)
        for observed in by_block[block]:
            value = _with_own_operations(value, eon, observed)
        values[block] = value
    return values


def accumulator_of(session: Session, clock: EonClock, eon: int) -> bytes:
    """The accumulator of `eon` after everything stored: 32 zero bytes for eons before the first.

    Slashes of the eon after it are included, as the contract appends them to both.
    """
    return _at_end(session, clock, eon, {})


def _before(session: Session, clock: EonClock, block: int) -> bytes:
    """The accumulator of the block's eon before it."""
    eon = clock.eon_of(block)
    if clock.sub_block(block) == 0:
        return accumulator_of(session, clock, eon - ACCUMULATOR_SLOTS)
    stored = _basis(session, block - 1)
    if stored is None:
        raise LedgerInvariant(f"block {block - 1} is not stored: block {block} follows on nothing")
    return stored


def _at_end(session: Session, clock: EonClock, eon: int, fresh: dict[int, bytes]) -> bytes:
    if eon < 1:
        return ZERO_HASH
    last = min(clock.last_block(eon), _newest(session, fresh))
    value = fresh.get(last) or _basis(session, last)
    if value is None or clock.eon_of(last) != eon:
        raise LedgerInvariant(f"no block of eon {eon} is stored")
    slashes = session.scalars(
        select(ChainEvent)
        .where(ChainEvent.eon == eon + 1, ChainEvent.name == _SLASH, ~ChainEvent.orphaned)
        .order_by(ChainEvent.block, ChainEvent.log_index)
    )
    for slash in slashes:
        value = _with_cancellation(value, eon, slash, "previous_eon_amount")
    return value


def _newest(session: Session, fresh: dict[int, bytes]) -> int:
    stored = session.scalar(
        select(ContractState.block)
        .where(~ContractState.orphaned)
        .order_by(ContractState.block.desc())
        .limit(1)
    )
    return max(max(fresh, default=0), stored or 0)


def _basis(session: Session, block: int) -> bytes | None:
    found = session.scalar(
        select(ContractState.basis).where(ContractState.block == block, ~ContractState.orphaned)
    )
    return None if found is None else bytes(found)


def _with_own_operations(value: bytes, eon: int, event: AccumulatingEvent) -> bytes:
    if event.name == _SLASH:
        return _with_cancellation(value, eon, event, "current_eon_amount")
    operation = _ADDING.get(event.name)
    if operation is None:
        return value
    participant = "recipient" if operation is Operation.DEPOSIT else "requestor"
    return accumulate(
        value,
        eon=eon,
        token=bytes.fromhex(event.arguments["token"]),
        participant=bytes.fromhex(event.arguments[participant]),
        operation=operation,
        value=int(event.arguments["amount"]),
    )


def _with_cancellation(value: bytes, eon: int, event: AccumulatingEvent, amount: str) -> bytes:
    cancelled = int(event.arguments[amount])
    if cancelled == 0:
        return value
    return accumulate(
        value,
        eon=eon,
        token=bytes.fromhex(event.arguments["token"]),
        participant=bytes.fromhex(event.arguments["requestor"]),
        operation=Operation.WITHDRAWAL_CANCELLATION,
        value=cancelled,
    )
