"""Wallets, their account in each eon, their signed states and markers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    Base,
    counter,
    created_at,
    digest,
    digests,
    fixed_bytes,
    identity,
    signature,
    uint256,
)


class Wallet(Base):
    """An address in one token. Admitted: countersigned and with a trail identifier.

    `text` keeps the letter case in which the address registered: the wire echoes it.
    """

    __tablename__ = "wallet"
    __table_args__ = (
        UniqueConstraint("token_id", "address"),
        UniqueConstraint("token_id", "trail_identifier"),
        CheckConstraint("text ~ '^[0-9a-fA-F]{40}$'", name="text_is_hexadecimal"),
        CheckConstraint("decode(text, 'hex') = address", name="text_spells_the_address"),
        CheckConstraint(
            "(operator_authorization IS NULL) = (trail_identifier IS NULL)",
            name="admitted_is_countersigned_with_a_trail",
        ),
        Index("ix_wallet_address", "address"),
    )

    id: Mapped[int] = identity()
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    address: Mapped[bytes] = fixed_bytes("address", 20)
    text: Mapped[str] = mapped_column(Text)
    registration_eon: Mapped[int] = counter("registration_eon")
    wallet_authorization: Mapped[bytes] = signature("wallet_authorization")
    operator_authorization: Mapped[bytes | None] = signature(
        "operator_authorization", nullable=True
    )
    trail_identifier: Mapped[int | None] = counter("trail_identifier", nullable=True)
    time: Mapped[datetime] = created_at()


class WalletEon(Base):
    """A wallet's running account in one eon: everything that an append reads, in one row.

    `spent` and `gained` are the effective pair of the last entry. The transaction set is held as
    the Merkle `frontier` of all entries but the last, and the fields of the last leaf, because
    that leaf still changes: a passive transfer's position becomes true when the next is appended,
    an order's start changes when it is fulfilled or cancelled.
    `allotment` is null while the eon's checkpoint does not exist.
    """

    __tablename__ = "wallet_eon"
    __table_args__ = (
        PrimaryKeyConstraint("wallet_id", "eon"),
        Index("ix_wallet_eon_eon_wallet_id", "eon", "wallet_id"),
        CheckConstraint("(entry_count = 0) = (last_transfer_id IS NULL)", name="last_entry"),
        CheckConstraint("receipt_count > 0 OR receipt_total = 0", name="receipts_are_counted"),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    eon: Mapped[int] = counter("eon")
    allotment: Mapped[int | None] = uint256("allotment", nullable=True)
    deposited: Mapped[int] = uint256("deposited", default=0)
    withdrawn: Mapped[int] = uint256("withdrawn", default=0)
    spent: Mapped[int] = uint256("spent", default=0)
    gained: Mapped[int] = uint256("gained", default=0)
    receipt_total: Mapped[int] = uint256("receipt_total", default=0)
    receipt_count: Mapped[int] = counter("receipt_count", default=0)
    entry_count: Mapped[int] = counter("entry_count", default=0)
    frontier: Mapped[bytes] = mapped_column(LargeBinary, server_default="")
    last_transfer_id: Mapped[int | None] = mapped_column(BigInteger, nullable=True)
    last_state_id: Mapped[int | None] = mapped_column(BigInteger, nullable=True)
    # The last leaf as it is hashed once another entry follows it; null without an entry.
    last_leaf: Mapped[bytes | None] = digest("last_leaf", nullable=True)
    # True position of the last entry when it is an outgoing passive transfer: the passive marker.
    last_position: Mapped[int | None] = uint256("last_position", nullable=True)
    # The order that holds this wallet in this eon, and what it reserves.
    open_order_id: Mapped[int | None] = mapped_column(BigInteger, nullable=True)
    reserved: Mapped[int] = uint256("reserved", default=0)


class ActiveState(Base):
    """A state that a wallet signed and, when `operator_signature` is set, the operator too."""

    __tablename__ = "active_state"
    __table_args__ = (Index("ix_active_state_wallet_id_eon", "wallet_id", "eon"),)

    id: Mapped[int] = identity()
    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    eon: Mapped[int] = counter("eon")
    spent: Mapped[int] = uint256("spent")
    gained: Mapped[int] = uint256("gained")
    tx_set_hash: Mapped[bytes] = digest("tx_set_hash")
    tx_set_index: Mapped[int] = counter("tx_set_index")
    tx_set_proof_hashes: Mapped[bytes] = digests("tx_set_proof_hashes")
    wallet_signature: Mapped[bytes] = signature("wallet_signature")
    operator_signature: Mapped[bytes | None] = signature("operator_signature", nullable=True)
    time: Mapped[datetime] = created_at()


class MinimumAvailableBalanceMarker(Base):
    """A wallet's signed word that it may end an eon with no more than `amount`."""

    __tablename__ = "minimum_available_balance_marker"
    __table_args__ = (
        Index("ix_minimum_available_balance_marker_smallest", "wallet_id", "eon", "amount"),
    )

    id: Mapped[int] = identity()
    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    eon: Mapped[int] = counter("eon")
    amount: Mapped[int] = uint256("amount")
    signature: Mapped[bytes] = signature("signature")
    time: Mapped[datetime] = created_at()
