"""A challenge and its answer: argument, what a trial found, what people may ask."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from duties import alarms
from duties.calendar import Calendar

ALARMS: Final = (
    alarms.DISPUTE,
    alarms.DISPUTE_UNKNOWN,
    alarms.DISPUTE_UNANSWERED,
    alarms.DISPUTE_UNANSWERABLE,
    alarms.DISPUTE_LAPSED,
)
"""What is raised about one challenge and ends with its answer."""


@dataclass(frozen=True)
class ChallengeStart:
    """The challenge to answer, by its row, and what one run hands to the next.

    `about` is a token's short name, `SELL-BUY` of a pair, or an unknown address; `sender` and
    `recipient` are 40 hex digits, equal but for deliveries. The contract takes no answer after
    block `deadline_block`.
    """

    number: int
    kind: str
    about: str
    sender: str
    recipient: str
    eon: int
    issue_block: int
    deadline_block: int
    calendar: Calendar
    revision: int = 0
    alarms_raised: int = 0
    supplied: int | None = None
    ceiling_gwei: int | None = None
    acknowledged_by: str = ""


class Standing(StrEnum):
    """What a trial found at the head.

    `ready`: an answer passes and its intent is open; `cleared`: the contract's book no longer has
    the challenge, only depth is missing; `wait`: no answer can be judged yet; `unanswerable`: none
    passes; `late`: no block can hold an answer any more; `ended`: the row says how it ended;
    `failing`: node or database would not say.
    """

    READY = "ready"
    CLEARED = "cleared"
    WAIT = "wait"
    UNANSWERABLE = "unanswerable"
    LATE = "late"
    ENDED = "ended"
    FAILING = "failing"


@dataclass(frozen=True)
class TryAnswers:
    """Try every answer to challenge `number`, and open the intent `revision` for one that passes.

    `supplied` is the row of an answer that a person made; it is tried first.
    """

    number: int
    revision: int
    supplied: int | None = None


@dataclass(frozen=True)
class Tried:
    """An answer that was tried: `reason` is empty if the contract would take it.

    `letter` is the contract's own reason, `objection` what the ledger found wrong with it before.
    """

    variant: str
    letter: str = ""
    reason: str = ""
    objection: str = ""


@dataclass(frozen=True)
class Trial:
    """What a trial found, see `Standing`; `status` is the row's, `head_block` the head's height."""

    standing: str
    status: str
    head_block: int
    reason: str = ""
    key: str = ""
    intent_id: int = 0
    deadline_block: int | None = None
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True)
class ChallengeView:
    """A challenge's row: `cleared_block` is where the contract's book was seen without it."""

    status: str
    cleared_block: int | None = None


@dataclass(frozen=True)
class ChallengeOutcome:
    """How a challenge ended: `answered`, `lapsed`, or `orphaned` by a reorganisation."""

    number: int
    status: str
    transactions: int = 0


@dataclass(frozen=True)
class ChallengeStatus:
    """Answer to the query `status`. `blocks_left` counts from the head of the last trial."""

    number: int
    standing: str
    reason: str
    tried: tuple[Tried, ...]
    deadline_block: int
    blocks_left: int | None
    revision: int
    sending: str
    acknowledged_by: str
    ceiling_gwei: int | None
