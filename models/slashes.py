"""Decisions to have requests cancelled that ask for more than a wallet has."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, identity


class Slash(Base):
    """One decision about one wallet; the requests that it is about point to it.

    `number` counts a wallet's decisions of one `eon`, from 1. `intent_id` is the newest
    transaction that carries it out. It is `done` when a confirmed event has dropped the requests,
    `given_up` when the contract cannot drop them any more.
    """

    __tablename__ = "slash"
    __table_args__ = (
        UniqueConstraint("wallet_id", "eon", "number"),
        Index(
            "uq_slash_open_wallet_id",
            "wallet_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        CheckConstraint("status IN ('open', 'done', 'given_up')", name="status_is_known"),
        CheckConstraint("number >= 1", name="number_counts_from_1"),
    )

    id: Mapped[int] = identity()
    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    eon: Mapped[int] = counter("eon")
    number: Mapped[int] = counter("number")
    status: Mapped[str] = mapped_column(Text, server_default="open")
    intent_id: Mapped[int | None] = mapped_column(
        ForeignKey("transaction_intent.id"), nullable=True
    )
    time: Mapped[datetime] = created_at()
