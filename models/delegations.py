"""Withdrawals that wallets have us request for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, identity, signature, uint256


class DelegatedWithdrawal(Base):
    """A wallet's signed word that we may request `amount` for it until block `expiry`.

    The signature covers `pending` too, what the wallet had requested in `eon` before, so it is
    good in that eon only. It is `requested` by the contract's confirmed event, and `ended` when
    its transaction came to nothing.
    """

    __tablename__ = "delegated_withdrawal"
    __table_args__ = (
        Index(
            "uq_delegated_withdrawal_open_wallet_id",
            "wallet_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        CheckConstraint("status IN ('open', 'requested', 'ended')", name="status_is_known"),
        CheckConstraint("amount > 0", name="something_is_asked_for"),
    )

    id: Mapped[int] = identity()
    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    amount: Mapped[int] = uint256("amount")
    pending: Mapped[int] = uint256("pending")
    expiry: Mapped[int] = uint256("expiry")
    eon: Mapped[int] = counter("eon")
    signature: Mapped[bytes] = signature("signature")
    status: Mapped[str] = mapped_column(Text, server_default="open")
    intent_id: Mapped[int | None] = mapped_column(
        ForeignKey("transaction_intent.id"), nullable=True
    )
    time: Mapped[datetime] = created_at()
