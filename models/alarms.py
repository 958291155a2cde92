"""Alarms, the messages that tell people of them, and how far each message has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, identity


class Alarm(Base):
    """A condition that a person should know of: one row from when it is raised until it ends.

    `occurrences` counts how often it was raised meanwhile, the last time at `raised_at`. `duty` is
    the workflow that raised it, `eon` the one that ran then; both may be unknown.
    """

    __tablename__ = "alarm"
    __table_args__ = (
        CheckConstraint(
            "severity IN ('information', 'warning', 'critical')", name="severity_is_known"
        ),
        Index(
            "uq_alarm_open_subject_object",
            "subject",
            "object",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
        ),
        Index("ix_alarm_time", "time"),
    )

    id: Mapped[int] = identity()
    severity: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    time: Mapped[datetime] = created_at()
    cleared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), nullable=True)
    raised_at: Mapped[datetime] = created_at()
    occurrences: Mapped[int] = counter("occurrences", default=1)
    duty: Mapped[str] = mapped_column(Text, server_default="")
    eon: Mapped[int | None] = counter("eon", nullable=True)


class AlarmMessage(Base):
    """What people are to be told of an alarm, written with the change that it tells of.

    It leaves at `due_at`, when deliveries are assigned to the channels; until then a newer word on
    the same condition takes its place.
    """

    __tablename__ = "alarm_message"
    __table_args__ = (
        CheckConstraint("kind IN ('raised', 'resolved')", name="kind_is_known"),
        CheckConstraint(
            "severity IN ('information', 'warning', 'critical')", name="severity_is_known"
        ),
        Index(
            "uq_alarm_message_pending",
            "subject",
            "object",
            "kind",
            unique=True,
            postgresql_where=text("assigned_at IS NULL"),
        ),
        Index("ix_alarm_message_subject_object", "subject", "object", "id"),
    )

    id: Mapped[int] = identity()
    kind: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    duty: Mapped[str] = mapped_column(Text, server_default="")
    eon: Mapped[int | None] = counter("eon", nullable=True)
    occurrences: Mapped[int] = counter("occurrences", default=1)
    time: Mapped[datetime] = created_at()
    due_at: Mapped[datetime] = created_at()
    assigned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), nullable=True)


class AlarmDelivery(Base):
    """One message on its way through one channel, tried again until it arrives or is too old."""

    __tablename__ = "alarm_delivery"
    __table_args__ = (
        PrimaryKeyConstraint("message_id", "channel"),
        CheckConstraint(
            "state IN ('waiting', 'delivered', 'superseded', 'abandoned')", name="state_is_known"
        ),
        CheckConstraint(
            "(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivered_has_a_time"
        ),
        Index("ix_alarm_delivery_waiting", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    message_id: Mapped[int] = mapped_column(ForeignKey("alarm_message.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    attempts: Mapped[int] = counter("attempts", default=0)
    due_at: Mapped[datetime] = created_at()
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), nullable=True)
    error: Mapped[str] = mapped_column(Text, server_default="")
