"""Addresses that an administrator bars from admission; nothing else looks at this list."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import BlacklistEntry, InterventionRecord
from protocol.address import Address, checksum_address


def barred(session: Session, addresses: Iterable[Address]) -> set[Address]:
    """Tell which of these addresses may not register."""
    entries = select(BlacklistEntry.address).where(BlacklistEntry.address.in_(set(addresses)))
    return {bytes(address) for address in session.scalars(entries)}


def bar_address(session: Session, address: Address, *, actor: str, reason: str) -> bool:
    """Bar an address from registering in any token; False if it is barred already."""
    entry = insert(BlacklistEntry).values(address=address, actor=actor, reason=reason)
    added = session.scalar(entry.on_conflict_do_nothing().returning(BlacklistEntry.id))
    if added is None:
        return False
    _record(session, "bar address", address, actor, reason)
    return True


def clear_address(session: Session, address: Address, *, actor: str, reason: str) -> bool:
    """Let a barred address register again; False if it was not barred."""
    removed = delete(BlacklistEntry).where(BlacklistEntry.address == address)
    if session.scalar(removed.returning(BlacklistEntry.id)) is None:
        return False
    _record(session, "clear address", address, actor, reason)
    return True


def _record(session: Session, action: str, address: Address, actor: str, reason: str) -> None:
    session.add(
        InterventionRecord(
            actor=actor, action=action, subject=checksum_address(address), reason=reason
        )
    )
