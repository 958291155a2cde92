"""First answers to requests that carry a key, for those that repeat them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, digest


class IdempotentAnswer(Base):
    """A key, what was asked under it, and the answer once there is one.

    `request` is the digest of path and body. Without `status` the request is being carried out,
    since `time`.
    """

    __tablename__ = "idempotent_answer"
    __table_args__ = (
        Index("ix_idempotent_answer_time", "time"),
        CheckConstraint("char_length(key) BETWEEN 1 AND 255", name="key_is_short"),
        CheckConstraint("(status IS NULL) = (body IS NULL)", name="an_answer_is_whole"),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request: Mapped[bytes] = digest("request")
    status: Mapped[int | None] = counter("status", nullable=True)
    body: Mapped[str | None] = mapped_column(Text, nullable=True)
    time: Mapped[datetime] = created_at()
