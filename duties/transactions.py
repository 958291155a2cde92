"""One on-chain transaction from intent to finality: argument, results, what people may ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from duties.calendar import Calendar

PRIORITIES: Final[Mapping[str, int]] = {
    "answer": 1,
    "critical_slash": 2,
    "checkpoint": 2,
    "slash": 3,
    "cover": 3,
    "refresh": 3,
    "repair": 3,
    "token_registration": 4,
}
"""The place of a duty in the queue that signs, 1 first; what has none stands last."""

LEAST_PRIORITY: Final = 5


class Ending(StrEnum):
    """How a transaction ended; all but `confirmed` go back to the duty that wanted it."""

    CONFIRMED = "confirmed"
    REVERTED = "reverted"
    REFUSED = "refused"
    USURPED = "usurped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Stage(StrEnum):
    """What an activity found out about an intent that has not ended."""

    SENT = "sent"
    WAITING = "waiting"
    MINED = "mined"
    QUIET = "quiet"
    ENDED = "ended"


@dataclass(frozen=True)
class TransactionStart:
    """The stored intent to carry out; `title` is a sentence for the person who looks at it.

    `priority` orders the queue that signs, 1 first. The rest is what one run hands to the next.
    """

    intent_id: int
    key: str
    title: str
    calendar: Calendar
    priority: int = LEAST_PRIORITY
    deadline_block: int | None = None
    ceiling_gwei: int | None = None
    cancelling: str = ""
    late: bool = False
    paused: bool = False


@dataclass(frozen=True)
class Broadcast:
    """Sign if need be, and send; `ceiling_gwei` replaces the policy's fee ceiling if a person
    raised it; `cancelling` puts a transfer to oneself in the transaction's place; `forced` offers
    more now, whatever the patience says."""

    intent_id: int
    ceiling_gwei: int | None = None
    cancelling: bool = False
    forced: bool = False


@dataclass(frozen=True)
class Watch:
    """Look for receipts until something happens or patience ends."""

    intent_id: int


@dataclass(frozen=True)
class Progress:
    """Where an intent stands after an activity: `stage`, and with `ended` its `ending`.

    `fee` is the newest attempt's cap in wei, as text; `reason` says in words why it waits or how
    it failed, `letter` is the contract's own reason for a revert.
    """

    stage: str
    ending: str = ""
    nonce: int | None = None
    attempts: int = 0
    fee: str = ""
    tx_hash: str = ""
    block: int | None = None
    letter: str = ""
    reason: str = ""


@dataclass(frozen=True)
class TransactionOutcome:
    """How a transaction ended, for the duty that wanted it."""

    ending: str
    key: str
    tx_hash: str = ""
    block: int | None = None
    letter: str = ""
    reason: str = ""


@dataclass(frozen=True)
class TransactionStatus:
    """Answer to the query `status`."""

    key: str
    progress: Progress
    paused: bool
    ceiling_gwei: int | None
    deadline_block: int | None
