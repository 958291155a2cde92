"""Deleting rows that nothing needs any more, a bounded number at a time.

Per-block rows are kept for the eons that the contract keeps, and of older eons the first and the
last block. What a proof or an answer needs (transfers, states, checkpoints, events that moved
money) is never deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from protocol.clock import EonClock

BATCH: Final = 5_000
NOTIFICATIONS_KEPT: Final = timedelta(days=1)
"""What wallets were told: API processes read it within seconds."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows of a table go: an SQL condition over `:first_block`, `:genesis`, `:eon_blocks`,
    `:old` and `:told` (ages)."""

    table: str
    condition: str


RULES: Final = (
    Rule(
        "contract_state",
        "block < :first_block AND (orphaned"
        " OR (block - :genesis) % :eon_blocks NOT IN (0, :eon_blocks - 1))",
    ),
    Rule("chain_event", "orphaned AND block < :first_block AND NOT applied"),
    Rule("duty_notice", "delivered AND time < now() - :old"),
    Rule("notification", "time < now() - :told"),
    Rule("alarm", "cleared_at < now() - :old"),
    Rule("alarm_message", "assigned_at IS NOT NULL AND time < now() - :old"),
)


def bounds(clock: EonClock, *, current_eon: int, eons_kept: int, age: timedelta) -> dict[str, Any]:
    """The parameters of the rules: rows of blocks before `first_block`, and older than `age`."""
    first_eon = max(1, current_eon - eons_kept)
    return {
        "first_block": clock.first_block(first_eon),
        "genesis": clock.genesis_block,
        "eon_blocks": clock.blocks_per_eon,
        "old": age,
        "told": min(age, NOTIFICATIONS_KEPT),
    }


def prune(session: Session, rule: Rule, parameters: Mapping[str, Any]) -> int:
    """Delete at most `BATCH` rows; returns how many. Rows that others hold are left for later."""
    names = [name for name in parameters if f":{name}" in rule.condition]
    statement = text(
        f"DELETE FROM {rule.table} WHERE id IN ("
        f"SELECT id FROM {rule.table} WHERE {rule.condition}"
        " LIMIT :batch FOR UPDATE SKIP LOCKED) RETURNING id"
    )
    given = {name: parameters[name] for name in names} | {"batch": BATCH}
    return len(session.execute(statement, given).all())
