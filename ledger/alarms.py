"""Conditions that a person should know of: raised once, cleared when they end."""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import func, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import Alarm

Severity = Literal["information", "warning", "critical"]

CHECKPOINT_FOREIGN: Final = "foreign root on chain"
OVERCLAIM: Final = "over-claim"
OVERCLAIM_CHARGED: Final = "over-claim charged"
WALLET_ISOLATED: Final = "wallet isolated"
UNKNOWN_TOKEN: Final = "token unknown to the ledger"
REQUEST_WITHOUT_WALLET: Final = "withdrawal request without a wallet"
SLASHED_LATE: Final = "slashed after its checkpoint deducted it"
WITHDRAWALS_DIFFER: Final = "withdrawals do not add up"


def raise_alarm(
    session: Session, severity: Severity, subject: str, subject_object: str, message: str
) -> None:
    """Raise an alarm; while one of the same subject and object is open nothing is added."""
    statement = insert(Alarm).values(
        severity=severity, subject=subject, object=subject_object, message=message
    )
    session.execute(
        statement.on_conflict_do_nothing(
            index_elements=["subject", "object"], index_where=text("cleared_at IS NULL")
        )
    )


def clear_alarm(session: Session, subject: str, subject_object: str) -> None:
    """End the open alarm of this subject and object, if there is one."""
    session.execute(
        update(Alarm)
        .where(Alarm.subject == subject, Alarm.object == subject_object, Alarm.cleared_at.is_(None))
        .values(cleared_at=func.now())
    )
