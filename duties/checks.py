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
