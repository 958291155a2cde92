"""Money of the pool without an owner that a person has given to the operator."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, identity, uint256


class UnclaimedClaim(Base):
    """So much unclaimed money of a token is to become the operator's own.

    `eon` is the checkpoint that allotted it, null while none had enough to spare.
    """

    __tablename__ = "unclaimed_claim"
    __table_args__ = (
        CheckConstraint("amount > 0", name="something_is_claimed"),
        Index("ix_unclaimed_claim_waiting", "token_id", postgresql_where=text("eon IS NULL")),
    )

    id: Mapped[int] = identity()
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    amount: Mapped[int] = uint256("amount")
    eon: Mapped[int | None] = counter("eon", nullable=True)
    time: Mapped[datetime] = created_at()
