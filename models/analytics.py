"""Counts that nobody has to count again."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, ForeignKey, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter


class TransferCount(Base):
    """How many rows of `transfer` belong to a closed eon, by the UTC day of their creation.

    Once an eon is closed its rows are as many as they will ever be.
    """

    __tablename__ = "transfer_count"
    __table_args__ = (PrimaryKeyConstraint("eon", "day"),)

    eon: Mapped[int] = mapped_column(ForeignKey("eon.number"))
    day: Mapped[date] = mapped_column(Date)
    count: Mapped[int] = counter("count")
