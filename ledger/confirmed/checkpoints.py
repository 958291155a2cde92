"""Checkpoints that the contract holds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from ledger.alarms import CHECKPOINT_FOREIGN, raise_alarm
from ledger.confirmed.events import ConfirmedEvent, Ground
from models import RootCommitment


def apply(ground: Ground, events: Sequence[ConfirmedEvent]) -> None:
    """Mark committed roots; a root that is not the ledger's is a matter for a person at once."""
    eons = {event.number("eon") for event in events}
    rows = ground.session.scalars(select(RootCommitment).where(RootCommitment.eon.in_(eons)))
    roots = {row.eon: row for row in rows}
    for event in events:
        eon, root = event.number("eon"), event.data("root")
        own = roots.get(eon)
        if own is None or bytes(own.merkle_root) != root:
            raise_alarm(
                ground.session,
                "critical",
                CHECKPOINT_FOREIGN,
                f"eon-{eon}",
                f"the contract holds the root {root.hex()}, which is not the ledger's",
            )
        else:
            own.status = "committed"
    ground.session.flush()
