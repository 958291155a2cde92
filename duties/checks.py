"""What the scheduled checks find: results of their activities, shown in the Temporal UI."""

from dataclasses import dataclass
from enum import StrEnum


class FuelState(StrEnum):
    """How long the operator's ether will last."""

    ENOUGH = "enough"
    LOW = "low"
    CRITICAL = "critical"


@dataclass(frozen=True)
class FuelReport:
    """The account's ether in wei, as text: `reserve` is what a checkpoint and ten answers cost."""

    state: str
    balance: str
    threshold: str
    reserve: str


@dataclass(frozen=True)
class ReconcileReport:
    """How many duties must run, how many were missing and were started; the first of their ids."""

    expected: int
    started: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class SanityReport:
    """What does not hold, in words; `unchecked` names what could not be compared this time."""

    findings: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True)
class RetentionReport:
    """Rows that were deleted, by table."""

    deleted: dict[str, int]
