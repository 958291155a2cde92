"""On-chain transactions of the operator: what is to be done, and each signed attempt at it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, digest, fixed_bytes, identity, uint256

STATES = ("queued", "assigned", "broadcast", "mined", "confirmed", "reverted", "replaced")
ENDED_EARLY = ("cancelled", "expired", "held", "usurped")
DUTIES = ("answer", "critical_slash", "checkpoint", "slash", "token_registration")
ORDINARY_DUTIES = ("withdrawal_confirmation", "delegated_withdrawal", "repair", "cover", "refresh")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class TransactionIntent(Base):
    """One thing to be done on chain, known by its idempotency key; its nonce comes late.

    `asked_at`: when it last asked for a nonce and had to wait. `gas_cost`: what its gas cost in
    wei once it is mined, at `mined_at`.
    """

    __tablename__ = "transaction_intent"
    __table_args__ = (
        UniqueConstraint("key"),
        Index(
            "uq_transaction_intent_account_nonce",
            "account",
            "nonce",
            unique=True,
            postgresql_where=text("nonce IS NOT NULL AND state <> 'usurped'"),
        ),
        CheckConstraint(_one_of("state", STATES + ENDED_EARLY), name="state_is_known"),
        CheckConstraint(_one_of("duty", DUTIES + ORDINARY_DUTIES), name="duty_is_known"),
        Index(
            "ix_transaction_intent_unfinished",
            "account",
            "state",
            postgresql_where=text("state IN ('queued', 'assigned', 'broadcast', 'mined', 'held')"),
        ),
        Index(
            "ix_transaction_intent_mined_at",
            "account",
            "mined_at",
            postgresql_where=text("mined_at IS NOT NULL"),
        ),
        CheckConstraint(
            "(mined_at IS NULL) = (gas_cost IS NULL)", name="cost_comes_with_the_block"
        ),
    )

    id: Mapped[int] = identity()
    key: Mapped[str] = mapped_column(Text)
    duty: Mapped[str] = mapped_column(Text)
    account: Mapped[bytes] = fixed_bytes("account", 20)
    callee: Mapped[bytes] = fixed_bytes("callee", 20)
    calldata: Mapped[bytes] = mapped_column(LargeBinary)
    value: Mapped[int] = uint256("value", default=0)
    depends_on: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    earliest_block: Mapped[int | None] = counter("earliest_block", nullable=True)
    deadline_block: Mapped[int | None] = counter("deadline_block", nullable=True)
    gas_ceiling: Mapped[int | None] = counter("gas_ceiling", nullable=True)
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    nonce: Mapped[int | None] = counter("nonce", nullable=True)
    first_broadcast_block: Mapped[int | None] = counter("first_broadcast_block", nullable=True)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB, nullable=True)
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), nullable=True)
    mined_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), nullable=True)
    gas_cost: Mapped[int | None] = uint256("gas_cost", nullable=True)
    time: Mapped[datetime] = created_at()


class TransactionAttempt(Base):
    """One signed form of an intent, stored before it is sent."""

    __tablename__ = "transaction_attempt"
    __table_args__ = (
        UniqueConstraint("hash"),
        UniqueConstraint("intent_id", "number"),
        CheckConstraint("type IN (0, 2)", name="type_is_legacy_or_1559"),
        CheckConstraint("tip <= fee_cap", name="tip_within_the_cap"),
    )

    id: Mapped[int] = identity()
    intent_id: Mapped[int] = mapped_column(ForeignKey("transaction_intent.id"))
    number: Mapped[int] = counter("number")
    nonce: Mapped[int] = counter("nonce")
    type: Mapped[int] = mapped_column(BigInteger)
    fee_cap: Mapped[int] = uint256("fee_cap")
    tip: Mapped[int] = uint256("tip")
    gas_limit: Mapped[int] = counter("gas_limit")
    hash: Mapped[bytes] = digest("hash")
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at_block: Mapped[int] = counter("signed_at_block")
    last_broadcast: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), nullable=True)
    outcome: Mapped[str | None] = mapped_column(Text, nullable=True)


class SendingAccount(Base):
    """The next nonce of an account that the operator sends from; its row lock is the one writer.

    Bounds that a person set count before the settings: how many ordinary transactions may be
    unmined, and the two fee ceilings in wei for each gas.
    """

    __tablename__ = "sending_account"
    __table_args__ = (
        CheckConstraint("ceiling <= critical_ceiling", name="the_critical_ceiling_is_the_higher"),
        CheckConstraint("in_flight BETWEEN 5 AND 1000", name="the_lane_has_room"),
        CheckConstraint(
            "ceiling BETWEEN 1000000000 AND 1000000000000000", name="the_ceiling_allows_sending"
        ),
        CheckConstraint(
            "critical_ceiling BETWEEN 1000000000 AND 1000000000000000",
            name="the_critical_ceiling_allows_sending",
        ),
    )

    account: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    next_nonce: Mapped[int] = counter("next_nonce")
    paused: Mapped[bool] = mapped_column(server_default=text("false"))
    in_flight: Mapped[int | None] = counter("in_flight", nullable=True)
    ceiling: Mapped[int | None] = uint256("ceiling", nullable=True)
    critical_ceiling: Mapped[int | None] = uint256("critical_ceiling", nullable=True)
