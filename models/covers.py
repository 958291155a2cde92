"""What the operator pays into the pool so that the contract holds what was allotted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, identity, uint256


class Cover(Base):
    """A payment of `amount` of a token from the operator's account to the contract.

    It is no deposit: nobody owns it. Once its transaction is final it counts as money of the pool.
    """

    __tablename__ = "cover"
    __table_args__ = (
        UniqueConstraint("intent_id"),
        CheckConstraint("amount > 0", name="something_is_paid"),
    )

    id: Mapped[int] = identity()
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    amount: Mapped[int] = uint256("amount")
    intent_id: Mapped[int | None] = mapped_column(
        ForeignKey("transaction_intent.id"), nullable=True
    )
    time: Mapped[datetime] = created_at()
