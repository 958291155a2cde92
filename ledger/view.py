"""Moving the ledger's view of the chain: the one row that every new entry is judged by."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import ChainView
from protocol.clock import EonClock


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What the contract says at the head `head_block`, and up to where blocks are confirmed.

    `is_split`: the head's chain has parted from what was confirmed.
    """

    head_block: int
    confirmed_block: int
    last_submitted_eon: int
    last_submitted_root: bytes
    missed_submission: bool
    halted: bool
    live_challenges: int
    is_split: bool = False


def move_view(
    session: Session, clock: EonClock, facts: ChainFacts, *, is_fresh: bool = True
) -> None:
    """Take over what was seen, now; the clock never runs backwards.

    A reorganisation to a lower head leaves `latest_block` where it was: an eon that began does
    not reopen. A head that is not fresh tells nothing of the chain of now: the view ages on.
    """
    values = {
        "latest_block": facts.head_block,
        "confirmed_block": facts.confirmed_block,
        "current_eon": clock.eon_of(facts.head_block),
        "last_submitted_eon": facts.last_submitted_eon,
        "last_submitted_root": facts.last_submitted_root,
        "missed_submission": facts.missed_submission,
        "live_challenges": facts.live_challenges,
        "intake": _intake(clock, facts),
        "seen_at": func.now(),
    }
    row = insert(ChainView).values(id=1, **values)
    new = row.excluded
    kept = values if is_fresh else {k: v for k, v in values.items() if k != "seen_at"}
    session.execute(
        row.on_conflict_do_update(
            index_elements=["id"],
            set_=kept
            | {
                "latest_block": func.greatest(ChainView.latest_block, new.latest_block),
                "confirmed_block": func.greatest(ChainView.confirmed_block, new.confirmed_block),
                "current_eon": func.greatest(ChainView.current_eon, new.current_eon),
            },
        )
    )


def _intake(clock: EonClock, facts: ChainFacts) -> str:
    if facts.halted:
        return "halted"
    if facts.is_split:
        return "split"
    is_submitted = facts.last_submitted_eon >= clock.eon_of(facts.head_block)
    if not is_submitted and clock.sub_block(facts.head_block) > clock.epoch_blocks:
        return "late"
    return "open"
