"""Intents: one thing to be done on chain each, known by a key, with its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.refusals import LedgerInvariant
from models import TransactionIntent
from protocol.address import Address

UNMINED: Final = ("assigned", "broadcast")
UNSENT_OR_UNMINED: Final = ("queued", "assigned", "broadcast", "held")
OPEN: Final = ("queued", "assigned", "broadcast", "mined", "held")
VITAL_DUTIES: Final = frozenset(("answer", "critical_slash", "checkpoint"))
"""Without which the chain halts."""

EXEMPT_DUTIES: Final = VITAL_DUTIES | {"slash", "repair", "cover", "refresh"}
"""What the limit of unmined transactions does not bind."""

RANKS: Final = (
    "answer",
    "critical_slash",
    "checkpoint",
    "cover",
    "slash",
    "refresh",
    "repair",
    "token_registration",
    "withdrawal_confirmation",
    "delegated_withdrawal",
)
"""Who is given a nonce first; within a duty the earlier deadline, then the older intent."""


@dataclass(frozen=True, slots=True)
class NewIntent:
    """What is to be called. `value` in wei, `gas_ceiling` in gas, blocks as heights.

    A duty that arose in `earliest_block` must be mined in `deadline_block` at the latest. While
    its deadline lets it, it waits until the intents with the keys `depends_on` are mined or ended.
    """

    key: str
    duty: str
    account: Address
    callee: Address
    calldata: bytes
    value: int = 0
    earliest_block: int | None = None
    deadline_block: int | None = None
    gas_ceiling: int | None = None
    depends_on: tuple[str, ...] = ()


def open_intent(session: Session, intent: NewIntent) -> TransactionIntent:
    """Store an intent, or return the one that has its key; raises if that calls something else."""
    session.execute(
        insert(TransactionIntent)
        .values(
            key=intent.key,
            duty=intent.duty,
            account=intent.account,
            callee=intent.callee,
            calldata=intent.calldata,
            value=intent.value,
            earliest_block=intent.earliest_block,
            deadline_block=intent.deadline_block,
            gas_ceiling=intent.gas_ceiling,
            depends_on=list(intent.depends_on),
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )
    stored = session.scalars(
        select(TransactionIntent).where(TransactionIntent.key == intent.key)
    ).one()
    if bytes(stored.callee) != intent.callee:
        raise LedgerInvariant(f"the intent {intent.key} calls another contract")
    return stored


def get_intent(session: Session, intent_id: int, *, lock: bool = False) -> TransactionIntent:
    """The intent of a row id, locked until the transaction ends if asked; raises without one."""
    intent = session.get(TransactionIntent, intent_id, with_for_update=lock or None)
    if intent is None:
        raise LedgerInvariant(f"there is no transaction intent {intent_id}")
    return intent


def unmet_dependencies(session: Session, intent: TransactionIntent) -> list[str]:
    """The keys among `depends_on` whose intents are neither mined nor ended."""
    return list(
        session.scalars(
            select(TransactionIntent.key)
            .where(
                TransactionIntent.key.in_(intent.depends_on),
                TransactionIntent.state.in_(UNSENT_OR_UNMINED),
            )
            .order_by(TransactionIntent.id)
        )
    )


def change_state(
    session: Session, intent_id: int, state: str, result: Mapping[str, Any] | None = None
) -> None:
    """Move an intent on; `result` replaces what is known about its outcome."""
    values: dict[str, Any] = {"state": state}
    if result is not None:
        values["result"] = dict(result)
    session.execute(
        update(TransactionIntent).where(TransactionIntent.id == intent_id).values(**values)
    )


def is_vital(intent: TransactionIntent) -> bool:
    """Whether the chain halts without this transaction."""
    return intent.duty in VITAL_DUTIES
