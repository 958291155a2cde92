"""Facts waiting to be told: to wallets over WebSocket, to workflows, to people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, identity


class Notification(Base):
    """An event of the wire, committed with the change it tells of, for every API process.

    `streams` are told in this order. An event about a transfer names it in `transfer_id` and is
    rendered for those who listen; every other one carries its `payload`.
    """

    __tablename__ = "notification"
    __table_args__ = (Index("ix_notification_time", "time"),)

    id: Mapped[int] = identity()
    event: Mapped[str] = mapped_column(Text)
    streams: Mapped[list[str]] = mapped_column(ARRAY(Text))
    transfer_id: Mapped[int | None] = mapped_column(BigInteger, nullable=True)
    payload: Mapped[Any | None] = mapped_column(JSONB, nullable=True)
    time: Mapped[datetime] = created_at()


class TransactionHookMark(Base):
    """Up to which notification the hook for transactions has been told: one row."""

    __tablename__ = "transaction_hook_mark"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default="1")
    delivered: Mapped[int] = counter("delivered")


class DutyNotice(Base):
    """A fact that a workflow must learn; delivered at least once, known by its key."""

    __tablename__ = "duty_notice"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_duty_notice_undelivered", "id", postgresql_where=text("NOT delivered")),
    )

    id: Mapped[int] = identity()
    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    delivered: Mapped[bool] = mapped_column(server_default=text("false"))
    time: Mapped[datetime] = created_at()
