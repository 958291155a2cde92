"""What people switch off: new entries of a kind, and all sending from the operator's account.

A switch is a row, read in the transaction of whatever it stops: it works at once in every process,
whether Temporal runs or not. Ending orders and reading stand under no switch.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.clock import INTAKE_CLOSED
from ledger.interventions import Person, record_intervention
from ledger.refusals import Refusal
from ledger.transactions.nonces import lock_account, pause_account
from models import IntakePause, InterventionRecord, SendingAccount
from protocol.address import Address

PAUSE: Final = "pause"
RESUME: Final = "resume"
SENDING: Final = "sending"


class Entry(StrEnum):
    """Kinds of new entries, each with a switch of its own."""

    ADMISSIONS = "admissions"
    TRANSFERS = "transfers"
    ORDERS = "orders"


SWITCHES: Final = (*(entry.value for entry in Entry), SENDING)


@dataclass(frozen=True, slots=True)
class SwitchState:
    """A switch; who paused what it stands for, why and since when, if it is paused."""

    name: str
    paused: bool = False
    actor: str | None = None
    reason: str | None = None
    since: datetime | None = None


def require_running(paused: Collection[str], entry: Entry) -> None:
    """Refuse with `INTAKE_CLOSED` what is among the `paused` entries."""
    if entry in paused:
        raise Refusal(INTAKE_CLOSED, f"{entry} are paused")


def require_switched_on(session: Session, entry: Entry) -> None:
    """Read one switch. Refuses with `INTAKE_CLOSED` while it is paused."""
    require_running(session.scalars(select(IntakePause.entry)).all(), entry)


def set_switch(
    session: Session, name: str, person: Person, *, paused: bool, account: Address
) -> bool:
    """Pause or resume what `name` of `SWITCHES` stands for; False if it stood like that already.

    `account` is the one that the operator sends from. Raises `UpdateIdTaken`.
    """
    if not record_intervention(session, PAUSE if paused else RESUME, name, person):
        return False
    if name == SENDING:
        was_paused = lock_account(session, account).paused
        pause_account(session, account, paused=paused)
        return was_paused is not paused
    entry = Entry(name)
    if paused:
        row = insert(IntakePause).values(entry=entry, actor=person.actor, reason=person.reason)
        added = row.on_conflict_do_nothing().returning(IntakePause.entry)
        return session.scalar(added) is not None
    removed = delete(IntakePause).where(IntakePause.entry == entry).returning(IntakePause.entry)
    return session.scalar(removed) is not None


def read_switches(session: Session, account: Address) -> list[SwitchState]:
    """Read every switch, in the order of `SWITCHES`."""
    pauses = {row.entry: row for row in session.scalars(select(IntakePause))}
    states = [
        SwitchState(entry, paused=True, actor=row.actor, reason=row.reason, since=row.since)
        if (row := pauses.get(entry)) is not None
        else SwitchState(entry)
        for entry in Entry
    ]
    return [*states, _sending(session, account)]


def paused_switches(session: Session) -> list[str]:
    """Name what is paused, whatever the account that sends."""
    entries = list(session.scalars(select(IntakePause.entry).order_by(IntakePause.entry)))
    stopped = session.scalars(select(SendingAccount.account).where(SendingAccount.paused)).all()
    return [*entries, *([SENDING] if stopped else [])]


def _sending(session: Session, account: Address) -> SwitchState:
    row = session.get(SendingAccount, account, populate_existing=True)
    if row is None or not row.paused:
        return SwitchState(SENDING)
    last = session.scalars(
        select(InterventionRecord)
        .where(InterventionRecord.subject == SENDING, InterventionRecord.action == PAUSE)
        .order_by(InterventionRecord.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return SwitchState(SENDING, paused=True)
    return SwitchState(SENDING, paused=True, actor=last.actor, reason=last.reason, since=last.time)
