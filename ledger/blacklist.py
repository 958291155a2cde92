"""Addresses that an administrator bars from admission; nothing else looks at this list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.interventions import Person, record_intervention
from models import BlacklistEntry
from protocol.address import Address, checksum_address

BAR: Final = "bar address"
CLEAR: Final = "clear address"


def barred(session: Session, addresses: Iterable[Address]) -> set[Address]:
    """Tell which of these addresses may not register."""
    entries = select(BlacklistEntry.address).where(BlacklistEntry.address.in_(set(addresses)))
    return {bytes(address) for address in session.scalars(entries)}


def list_barred(session: Session, *, limit: int) -> Sequence[BlacklistEntry]:
    """List the barred addresses, the newest first."""
    query = select(BlacklistEntry).order_by(BlacklistEntry.id.desc()).limit(limit)
    return session.scalars(query).all()


def bar_address(session: Session, address: Address, person: Person) -> bool:
    """Bar an address from registering in any token; False if it is barred already.

    Raises `UpdateIdTaken`.
    """
    if not record_intervention(session, BAR, checksum_address(address), person):
        return False
    entry = insert(BlacklistEntry).values(address=address, actor=person.actor, reason=person.reason)
    added = entry.on_conflict_do_nothing().returning(BlacklistEntry.id)
    return session.scalar(added) is not None


def clear_address(session: Session, address: Address, person: Person) -> bool:
    """Let a barred address register again; False if it was not barred. Raises `UpdateIdTaken`."""
    if not record_intervention(session, CLEAR, checksum_address(address), person):
        return False
    removed = delete(BlacklistEntry).where(BlacklistEntry.address == address)
    return session.scalar(removed.returning(BlacklistEntry.id)) is not None
