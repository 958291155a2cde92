"""What people did to the operator, and what they switched off."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, identity


class InterventionRecord(Base):
    """What a person did to the operator's duties: who, what, with which value, and why.

    `update_id` is the caller's name for the act: the same act on the same subject is recorded,
    and done, once.
    """

    __tablename__ = "intervention_record"
    __table_args__ = (
        UniqueConstraint("subject", "update_id"),
        CheckConstraint("btrim(actor) <> '' AND btrim(reason) <> ''", name="is_signed"),
    )

    id: Mapped[int] = identity()
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    value: Mapped[str | None] = mapped_column(Text, nullable=True)
    reason: Mapped[str] = mapped_column(Text)
    update_id: Mapped[str | None] = mapped_column(Text, nullable=True)
    time: Mapped[datetime] = created_at()


class IntakePause(Base):
    """A kind of new entries that a person has paused; it is taken again when the row is gone."""

    __tablename__ = "intake_pause"
    __table_args__ = (
        CheckConstraint("entry IN ('admissions', 'transfers', 'orders')", name="entry_is_known"),
    )

    entry: Mapped[str] = mapped_column(Text, primary_key=True)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = created_at()
