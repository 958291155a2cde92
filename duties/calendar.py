"""The commit-chain's calendar and the ledger's view of the chain, as workflows receive them."""

from dataclasses import dataclass
from typing import Final

SUBMIT_LATE: Final = "submit_late"
HOLD: Final = "hold"


@dataclass(frozen=True)
class Calendar:
    """What a duty's deadlines are made of; part of every start argument.

    `confirmations` and `checkpoint_threshold_blocks` count blocks; `block_time_s` is only a
    guess that paces the questions, no deadline depends on it. `overclaim_policy` is `submit_late`
    or `hold`.
    """

    genesis_block: int
    blocks_per_eon: int
    confirmations: int
    checkpoint_threshold_blocks: int
    overclaim_policy: str = SUBMIT_LATE
    poll_s: float = 1.0
    block_time_s: float = 12.0


@dataclass(frozen=True)
class View:
    """The ledger's view of the chain; `latest_block` never runs backwards.

    `last_submitted_root` is 64 hex digits, empty before the first checkpoint.
    """

    latest_block: int
    confirmed_block: int
    last_submitted_eon: int = 0
    last_submitted_root: str = ""
    missed_submission: bool = False
    live_challenges: int = 0
    intake: str = "open"
