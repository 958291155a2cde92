"""Eons, and what a checkpoint commits to: allotments, token commitments and the root."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, digest, digests, identity, uint256


class Eon(Base):
    """An eon's place in the ledger; once `closed_at` is set nothing of the eon changes."""

    __tablename__ = "eon"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), nullable=True)


class EonMembership(Base):
    """How many wallets a token had when the eon was closed: the leaves of the next checkpoint.

    A token without a row takes no part in that checkpoint.
    """

    __tablename__ = "eon_membership"
    __table_args__ = (PrimaryKeyConstraint("eon", "token_id"),)

    eon: Mapped[int] = mapped_column(ForeignKey("eon.number"))
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    wallet_count: Mapped[int] = counter("wallet_count")


class RootCommitment(Base):
    """The root of an eon. It never changes once stored; only its basis is read again.

    `basis` is the accumulator of the eon before, read from the chain when the root is submitted.
    """

    __tablename__ = "root_commitment"
    __table_args__ = (
        UniqueConstraint("eon"),
        CheckConstraint("status IN ('created', 'held', 'committed')", name="status_is_known"),
    )

    id: Mapped[int] = identity()
    eon: Mapped[int] = counter("eon")
    merkle_root: Mapped[bytes] = digest("merkle_root")
    basis: Mapped[bytes | None] = digest("basis", nullable=True)
    block: Mapped[int] = counter("block")
    status: Mapped[str] = mapped_column(Text, server_default="created")
    # Who let an over-claimed root out, and why; null for every ordinary root.
    approval: Mapped[str | None] = mapped_column(Text, nullable=True)
    announced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), nullable=True)
    time: Mapped[datetime] = created_at()


class TokenCommitment(Base):
    """A token's balance tree in a checkpoint: its root, its upper bound, its path to the root."""

    __tablename__ = "token_commitment"
    __table_args__ = (UniqueConstraint("eon", "token_id"),)

    id: Mapped[int] = identity()
    eon: Mapped[int] = mapped_column(ForeignKey("root_commitment.eon", deferrable=True))
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    balance_root: Mapped[bytes] = digest("balance_root")
    upper_bound: Mapped[int] = uint256("upper_bound")
    managed_funds: Mapped[int] = uint256("managed_funds")
    leaf_count: Mapped[int] = counter("leaf_count")
    membership_hashes: Mapped[bytes] = digests("membership_hashes")


class BalanceTreeLevel(Base):
    """One level of a token's balance tree, as concatenated digests; level 0 holds the leaves.

    Proofs are cut out of these levels when they are asked for. `bounds` of level 0 holds the left
    edge of each leaf and then the last right edge, 32 bytes each; edges of higher nodes are edges
    of their leaves.
    """

    __tablename__ = "balance_tree_level"
    __table_args__ = (
        PrimaryKeyConstraint("eon", "token_id", "level"),
        CheckConstraint("octet_length(hashes) % 32 = 0", name="hashes_are_digests"),
        CheckConstraint("level <= 32", name="at_most_32_levels"),
        CheckConstraint("(bounds IS NOT NULL) = (level = 0)", name="bounds_belong_to_the_leaves"),
    )

    eon: Mapped[int] = counter("eon")
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    level: Mapped[int] = counter("level")
    hashes: Mapped[bytes] = mapped_column(LargeBinary)
    bounds: Mapped[bytes | None] = mapped_column(LargeBinary, nullable=True)


class ExclusiveBalanceAllotment(Base):
    """A wallet's interval in a checkpoint and all that its leaf was made of.

    `active_state_id` is null, and the leaf's digest zero, for a wallet without an entry.
    `passive_root` is null without receipts: the number of receipts decides, never their sum.
    """

    __tablename__ = "exclusive_balance_allotment"
    __table_args__ = (
        PrimaryKeyConstraint("wallet_id", "eon"),
        CheckConstraint("left_bound <= right_bound", name="left_before_right"),
        Index("ix_exclusive_balance_allotment_eon", "eon"),
    )

    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    eon: Mapped[int] = counter("eon")
    left_bound: Mapped[int] = uint256("left_bound")
    right_bound: Mapped[int] = uint256("right_bound")
    passive_root: Mapped[bytes | None] = digest("passive_root", nullable=True)
    passive_amount: Mapped[int] = uint256("passive_amount", default=0)
    passive_marker: Mapped[int] = uint256("passive_marker", default=0)
    active_state_id: Mapped[int | None] = mapped_column(
        ForeignKey("active_state.id"), nullable=True
    )
    active_state_digest: Mapped[bytes | None] = digest("active_state_digest", nullable=True)
