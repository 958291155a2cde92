"""Conditions that a person should know of."""

from dataclasses import dataclass
from typing import Final

WARNING: Final = "warning"
CRITICAL: Final = "critical"

CHECKPOINT_LATE: Final = "checkpoint late"
CHECKPOINT_REVERTED: Final = "checkpoint reverted"
CHECKPOINT_FOREIGN: Final = "foreign root on chain"
OVERCLAIM: Final = "over-claim"
HALTED: Final = "missed eon"
OUT_OF_SYNC: Final = "checkpoint not possible: out of sync"
NODE_UNREACHABLE: Final = "node unreachable"
DEEP_REORGANISATION: Final = "deep reorganisation"
ACCUMULATOR: Final = "unexplained operation on chain"
UNKNOWN_EVENT: Final = "unknown event"
UNKNOWN_NOTICE: Final = "notice that no duty takes"
NONCE_USURPED: Final = "nonce usurped"
FEE_CEILING: Final = "fee ceiling"
FUEL: Final = "low fuel"
WITHDRAWAL_BLOCKED: Final = "withdrawal blocked"
TOKEN_BLOCKED: Final = "token registration blocked"


@dataclass(frozen=True)
class AlarmNote:
    """An alarm to raise: one of each `subject` and `about` stays open until it is cleared."""

    severity: str
    subject: str
    about: str
    message: str


@dataclass(frozen=True)
class AlarmKey:
    """The alarm to clear, if it is open."""

    subject: str
    about: str
