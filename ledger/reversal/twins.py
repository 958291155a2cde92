"""Events that a reorganisation only moved: the same transaction said the same in another block."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import ChainEvent, Deposit, OrphanDeposit, Withdrawal, WithdrawalRequest

Key: TypeAlias = tuple[bytes, int, str, str]
_ROWS: Final[tuple[type[Any], ...]] = (Deposit, OrphanDeposit, WithdrawalRequest, Withdrawal)


class Twins:
    """What the new branch says, to be paired with what the old one said, in its order."""

    def __init__(self, session: Session, orphans: Sequence[ChainEvent], up_to_block: int) -> None:
        self._session = session
        self._waiting: dict[Key, deque[ChainEvent]] = defaultdict(deque)
        found = session.scalars(
            select(ChainEvent)
            .where(
                ChainEvent.transaction_hash.in_({one.transaction_hash for one in orphans}),
                ChainEvent.block <= up_to_block,
                ~ChainEvent.orphaned,
                ~ChainEvent.applied,
            )
            .order_by(ChainEvent.block, ChainEvent.log_index)
        )
        for event in found:
            self._waiting[_key(event)].append(event)

    def take_over(self, orphan: ChainEvent) -> bool:
        """Give what `orphan` did to its twin, if it has one in the same eon."""
        waiting = self._waiting.get(_key(orphan))
        if not waiting:
            return False
        # Orphans come newest first, so that the order of equal ones is kept.
        twin = waiting.pop()
        for row in _ROWS:
            self._session.execute(
                update(row)
                .where(row.event_id == orphan.id)
                .values(event_id=twin.id, block=twin.block)
            )
        orphan.applied, twin.applied = False, True
        return True


def _key(event: ChainEvent) -> Key:
    told = json.dumps(event.arguments, sort_keys=True)
    return bytes(event.transaction_hash), event.eon, event.name, told
