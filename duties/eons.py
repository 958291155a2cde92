"""The life of an eon's checkpoint: argument, phases, results of its steps."""

from dataclasses import dataclass
from enum import StrEnum

from duties.calendar import Calendar


class Phase(StrEnum):
    """Where an eon's checkpoint stands."""

    RUNNING_IN = "running-in"
    SETTLING = "settling"
    CLOSING = "closing"
    BUILDING = "building"
    VERIFYING = "verifying"
    BLOCKED = "blocked"
    SUBMITTING = "submitting"
    COMMITTED = "committed"
    PUBLISHING = "publishing"
    DONE = "done"
    HALTED = "halted"


@dataclass(frozen=True)
class EonStart:
    """The eon whose checkpoint is due, which commits the balances of the eon before."""

    eon: int
    calendar: Calendar


@dataclass(frozen=True)
class EonOutcome:
    """How an eon's duty ended: phase `done` or `halted`; `root` is 64 hex digits."""

    eon: int
    phase: str
    root: str = ""
    transactions: int = 0


@dataclass(frozen=True)
class EonStatus:
    """Answer to the query `status`. `blockers` say in words what the checkpoint waits for."""

    eon: int
    phase: str
    blockers: tuple[str, ...]
    root: str
    revision: int
    held: bool
    deadline_block: int


@dataclass(frozen=True)
class Unsettled:
    """What of the eon before is still in flight, in words; empty when all is settled.

    `unmined` are those of it without which the root would claim more than the contract holds.
    """

    waiting_for: tuple[str, ...] = ()
    unmined: tuple[str, ...] = ()


@dataclass(frozen=True)
class Built:
    """A stored checkpoint; `root` is 64 hex digits."""

    root: str
    tokens: int = 0
    wallets: int = 0


@dataclass(frozen=True)
class Verdict:
    """The checkpoint held against itself and against the contract's funds at the head.

    `overclaims` name each token that allots more than the contract holds, with both amounts;
    `waiting_for` the slashes that will give the difference back once they are mined. `trails` are
    those of the same tokens, by which a person approves one of them.
    """

    overclaims: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()
    trails: tuple[int, ...] = ()


@dataclass(frozen=True)
class OpenSubmission:
    """Ask for the intent that submits the checkpoint of `eon`; a new `revision` after a revert."""

    eon: int
    revision: int


class Readiness(StrEnum):
    """Whether a transaction may go out now, judged at the head."""

    READY = "ready"
    WAIT = "wait"
    DONE = "done"
    FOREIGN = "foreign"
    HALTED = "halted"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Opening:
    """An intent that was opened (`ready`), or why none was.

    `done`: the chain already has it; `foreign`: somebody else's root stands there; `wait` and
    `blocked` carry a `reason` in words.
    """

    readiness: str
    key: str = ""
    intent_id: int = 0
    reason: str = ""
    deadline_block: int | None = None
