"""Transfers and orders (one table, two kinds) and what was matched between orders."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from models.base import (
    Base,
    counter,
    created_at,
    identity,
    signature,
    uint256,
)


def _state(*, nullable: bool = True) -> Mapped[int | None]:
    return mapped_column(ForeignKey("active_state.id"), nullable=nullable)


class Transfer(Base):
    """A payment, or one eon's copy of an order (`swap`).

    An order's copies share `tx_id`, nonce, amounts and parties, one copy an eon. `sender` is the
    debit wallet and `recipient` the credit wallet, both of one address then.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        UniqueConstraint("sender_id", "eon", "nonce"),
        UniqueConstraint("recipient_id", "eon", "nonce"),
        UniqueConstraint("tx_id", "eon"),
        # Positions tile the received amount: two receipts may share one only if the first is empty.
        Index(
            "uq_transfer_recipient_id_eon_position",
            "recipient_id",
            "eon",
            "position",
            unique=True,
            postgresql_where=text("passive AND NOT voided AND amount > 0"),
        ),
        Index(
            "uq_transfer_recipient_id_eon_receipt_index",
            "recipient_id",
            "eon",
            "receipt_index",
            unique=True,
            postgresql_where=text("receipt_index IS NOT NULL"),
        ),
        # The heap is in the order of the eons: an index of ranges costs a payment next to nothing.
        Index("ix_transfer_eon", "eon", postgresql_using="brin"),
        # Orders are few among transfers: their indexes cost a payment nothing.
        Index("ix_transfer_orders_of_an_eon", "eon", postgresql_where=text("swap")),
        Index(
            "ix_transfer_order_nonces",
            "sender_id",
            "recipient_id",
            "nonce",
            postgresql_where=text("swap"),
        ),
        Index("ix_transfer_takers", "arrival", postgresql_where=text("awaits_match")),
        CheckConstraint("swap = (amount_swapped IS NOT NULL)", name="swap_has_a_wanted_amount"),
        CheckConstraint("NOT swap OR amount_swapped >= 1", name="wanted_amount_is_positive"),
        CheckConstraint("swap OR NOT complete OR processed", name="complete_is_processed"),
        CheckConstraint("sender_id <> recipient_id", name="parties_differ"),
        CheckConstraint(
            "passive = (position IS NOT NULL AND receipt_index IS NOT NULL)",
            name="passive_has_a_position",
        ),
        CheckConstraint("NOT (passive AND swap)", name="an_order_is_not_passive"),
        CheckConstraint("NOT swap OR matched_out <= amount", name="never_sold_beyond_the_order"),
        CheckConstraint(
            "NOT swap OR sell_order OR matched_in <= amount_swapped",
            name="never_bought_beyond_the_order",
        ),
        CheckConstraint(
            "NOT swap OR matched_in * amount >= matched_out * amount_swapped",
            name="never_below_the_limit_price",
        ),
        CheckConstraint("swap = (arrival IS NOT NULL)", name="an_order_has_an_arrival"),
    )

    id: Mapped[int] = identity()
    tx_id: Mapped[UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"))
    sender_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    amount: Mapped[int] = uint256("amount")
    eon: Mapped[int] = counter("eon")
    nonce: Mapped[int] = uint256("nonce")
    time: Mapped[datetime] = created_at()
    swap: Mapped[bool] = mapped_column(server_default=text("false"))
    passive: Mapped[bool] = mapped_column(server_default=text("false"))
    position: Mapped[int | None] = uint256("position", nullable=True)
    receipt_index: Mapped[int | None] = counter("receipt_index", nullable=True)
    sender_active_state_id: Mapped[int | None] = _state()
    recipient_active_state_id: Mapped[int | None] = _state()
    sender_marker_id: Mapped[int | None] = mapped_column(
        ForeignKey("minimum_available_balance_marker.id"), nullable=True
    )
    appended: Mapped[bool] = mapped_column(server_default=text("false"))
    processed: Mapped[bool] = mapped_column(server_default=text("false"))
    complete: Mapped[bool] = mapped_column(server_default=text("false"))
    cancelled: Mapped[bool] = mapped_column(server_default=text("false"))
    voided: Mapped[bool] = mapped_column(server_default=text("false"))
    # Orders only, from here on.
    amount_swapped: Mapped[int | None] = uint256("amount_swapped", nullable=True)
    sell_order: Mapped[bool] = mapped_column(server_default=text("true"))
    # The id of the order's first copy: the sequence in which orders were accepted.
    arrival: Mapped[int | None] = mapped_column(BigInteger, nullable=True)
    # The order has yet to be the taker, once; afterwards it rests in the book.
    awaits_match: Mapped[bool] = mapped_column(server_default=text("false"))
    # Totals over the order's eons up to this copy's.
    matched_out: Mapped[int] = uint256("matched_out", default=0)
    matched_in: Mapped[int] = uint256("matched_in", default=0)
    sender_starting_balance: Mapped[int | None] = uint256("sender_starting_balance", nullable=True)
    recipient_starting_balance: Mapped[int | None] = uint256(
        "recipient_starting_balance", nullable=True
    )
    recipient_marker_id: Mapped[int | None] = mapped_column(
        ForeignKey("minimum_available_balance_marker.id"), nullable=True
    )
    recipient_fulfillment_active_state_id: Mapped[int | None] = _state()
    recipient_finalization_active_state_id: Mapped[int | None] = _state()
    sender_cancellation_active_state_id: Mapped[int | None] = _state()
    recipient_cancellation_active_state_id: Mapped[int | None] = _state()
    freeze_signature: Mapped[bytes | None] = signature("freeze_signature", nullable=True)
    # What the checkpoint after this eon leaves out of the wallets' allotments while the contract
    # could not prove it, and the checkpoint after that adds again.
    sender_held_back: Mapped[int] = uint256("sender_held_back", default=0)
    recipient_held_back: Mapped[int] = uint256("recipient_held_back", default=0)


class Matching(Base):
    """A trade: the newer order (left, the taker) met the resting one (right). Append-only.

    What is deducted on one side is granted on the other; conservation is the row's own shape.
    """

    __tablename__ = "matching"
    __table_args__ = (
        CheckConstraint("left_order_tx_id <> right_order_tx_id", name="orders_differ"),
        CheckConstraint("left_token_id <> right_token_id", name="tokens_differ"),
        CheckConstraint("left_deducted >= 1 AND right_deducted >= 1", name="no_gift"),
        Index("ix_matching_time", "time"),
        Index("ix_matching_left_order_tx_id_eon", "left_order_tx_id", "eon"),
        Index("ix_matching_right_order_tx_id_eon", "right_order_tx_id", "eon"),
    )

    id: Mapped[int] = identity()
    eon: Mapped[int] = counter("eon")
    left_order_tx_id: Mapped[UUID] = mapped_column(Uuid)
    right_order_tx_id: Mapped[UUID] = mapped_column(Uuid)
    left_token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    right_token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    left_deducted: Mapped[int] = uint256("left_deducted")
    right_deducted: Mapped[int] = uint256("right_deducted")
    time: Mapped[datetime] = created_at()
