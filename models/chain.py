"""What the parent chain told the operator: parameters, blocks, events and what they mean."""

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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, created_at, digest, fixed_bytes, identity, uint256


class ContractParameters(Base):
    """The contract this database belongs to; read once, compared at every start."""

    __tablename__ = "contract_parameters"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default="1")
    chain_id: Mapped[int] = counter("chain_id")
    contract: Mapped[bytes] = fixed_bytes("contract", 20)
    operator: Mapped[bytes] = fixed_bytes("operator", 20)
    edition: Mapped[str] = mapped_column(Text)
    code_hash: Mapped[bytes] = digest("code_hash")
    genesis_block: Mapped[int] = counter("genesis_block")
    blocks_per_eon: Mapped[int] = counter("blocks_per_eon")
    eons_kept: Mapped[int] = counter("eons_kept")
    deposits_kept: Mapped[int] = counter("deposits_kept")
    challenge_cost: Mapped[int] = uint256("challenge_cost")


class ChainView(Base):
    """The ledger's clock and the operator's condition: one row that every append reads.

    `latest_block` never falls below what was seen: a reorganisation to a lower head does not
    reopen an eon. `intake` is `open`, or why new transfers, orders and admissions are refused.
    `split_at`: the last block that the node's chain shares with what was confirmed here, while
    they part below it; `split_hash` is the newest block that was.
    """

    __tablename__ = "chain_view"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("confirmed_block <= latest_block", name="confirmed_is_not_ahead"),
        CheckConstraint("intake IN ('open', 'halted', 'late', 'split')", name="intake_is_known"),
        CheckConstraint("(split_at IS NULL) = (split_hash IS NULL)", name="a_split_names_both"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default="1")
    latest_block: Mapped[int] = counter("latest_block")
    confirmed_block: Mapped[int] = counter("confirmed_block")
    current_eon: Mapped[int] = counter("current_eon")
    last_submitted_eon: Mapped[int] = counter("last_submitted_eon", default=0)
    last_submitted_root: Mapped[bytes | None] = digest("last_submitted_root", nullable=True)
    missed_submission: Mapped[bool] = mapped_column(server_default=text("false"))
    live_challenges: Mapped[int] = counter("live_challenges", default=0)
    intake: Mapped[str] = mapped_column(Text, server_default="open")
    split_at: Mapped[int | None] = counter("split_at", nullable=True)
    split_hash: Mapped[bytes | None] = digest("split_hash", nullable=True)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ContractState(Base):
    """One block: its place in the chain and the accumulator of its eon after it.

    `basis` is recomputed from events, never read from history: the operator needs no archive node.
    """

    __tablename__ = "contract_state"
    __table_args__ = (
        UniqueConstraint("block_hash"),
        Index(
            "uq_contract_state_block",
            "block",
            unique=True,
            postgresql_where=text("NOT orphaned"),
        ),
        CheckConstraint("NOT (confirmed AND orphaned)", name="confirmed_is_canonical"),
    )

    id: Mapped[int] = identity()
    block: Mapped[int] = counter("block")
    block_hash: Mapped[bytes] = digest("block_hash")
    parent_hash: Mapped[bytes] = digest("parent_hash")
    timestamp: Mapped[int] = counter("timestamp")
    basis: Mapped[bytes] = digest("basis")
    confirmed: Mapped[bool] = mapped_column(server_default=text("false"))
    orphaned: Mapped[bool] = mapped_column(server_default=text("false"))


class ChainEvent(Base):
    """A contract's event as seen at the head; money moves from it once its block is confirmed.

    Applied and orphaned: a chain that came back shorter than the confirmations has lost it, and
    what it did stands until a person decides.
    """

    __tablename__ = "chain_event"
    __table_args__ = (
        UniqueConstraint("block_hash", "log_index"),
        Index("ix_chain_event_block", "block"),
        Index(
            "ix_chain_event_unapplied",
            "block",
            "log_index",
            postgresql_where=text("NOT applied AND NOT orphaned"),
        ),
        Index(
            "ix_chain_event_undone",
            "block",
            "log_index",
            postgresql_where=text("applied AND orphaned"),
        ),
    )

    id: Mapped[int] = identity()
    block: Mapped[int] = counter("block")
    block_hash: Mapped[bytes] = digest("block_hash")
    log_index: Mapped[int] = counter("log_index")
    transaction_hash: Mapped[bytes] = digest("transaction_hash")
    eon: Mapped[int] = counter("eon")
    name: Mapped[str] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    applied: Mapped[bool] = mapped_column(server_default=text("false"))
    orphaned: Mapped[bool] = mapped_column(server_default=text("false"))


class Deposit(Base):
    """A confirmed deposit, credited in `eon` (that of its block, or of the registration)."""

    __tablename__ = "deposit"
    __table_args__ = (
        UniqueConstraint("event_id"),
        Index("ix_deposit_wallet_id_eon", "wallet_id", "eon"),
    )

    id: Mapped[int] = identity()
    event_id: Mapped[int] = mapped_column(ForeignKey("chain_event.id"))
    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallet.id"))
    amount: Mapped[int] = uint256("amount")
    eon: Mapped[int] = counter("eon")
    block: Mapped[int] = counter("block")
    transaction_hash: Mapped[bytes] = digest("transaction_hash")
    time: Mapped[datetime] = created_at()


class OrphanDeposit(Base):
    """A confirmed deposit for an address that has no wallet yet; credited when it registers."""

    __tablename__ = "orphan_deposit"
    __table_args__ = (
        UniqueConstraint("event_id"),
        Index("ix_orphan_deposit_token_id_address", "token_id", "address"),
    )

    id: Mapped[int] = identity()
    event_id: Mapped[int] = mapped_column(ForeignKey("chain_event.id"))
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    address: Mapped[bytes] = fixed_bytes("address", 20)
    amount: Mapped[int] = uint256("amount")
    eon: Mapped[int] = counter("eon")
    block: Mapped[int] = counter("block")
    transaction_hash: Mapped[bytes] = digest("transaction_hash")
    deposit_id: Mapped[int | None] = mapped_column(ForeignKey("deposit.id"), nullable=True)


class WithdrawalRequest(Base):
    """A confirmed request to withdraw. `wallet_id` is null for an address without a wallet.

    Every unslashed, unpaid request counts against the money that the contract holds. It is
    `slash_queued` while a decision to slash it is carried out, and `blocked` when it must not be
    paid without a person: it does not add up, or asks for money that the wallet does not have.
    """

    __tablename__ = "withdrawal_request"
    __table_args__ = (
        UniqueConstraint("event_id"),
        Index("ix_withdrawal_request_wallet_id_eon", "wallet_id", "eon"),
        Index("ix_withdrawal_request_token_id_eon", "token_id", "eon"),
        Index(
            "ix_withdrawal_request_open",
            "eon",
            "wallet_id",
            postgresql_where=text("status NOT IN ('slashed', 'paid')"),
        ),
        CheckConstraint(
            "status <> 'slash_queued' OR slash_id IS NOT NULL",
            name="a_queued_slash_was_decided",
        ),
        CheckConstraint(
            "status IN ('pending', 'slash_queued', 'slashed', 'confirm_queued', 'paid', 'blocked')",
            name="status_is_known",
        ),
    )

    id: Mapped[int] = identity()
    event_id: Mapped[int] = mapped_column(ForeignKey("chain_event.id"))
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    address: Mapped[bytes] = fixed_bytes("address", 20)
    wallet_id: Mapped[int | None] = mapped_column(ForeignKey("wallet.id"), nullable=True)
    amount: Mapped[int] = uint256("amount")
    eon: Mapped[int] = counter("eon")
    block: Mapped[int] = counter("block")
    transaction_hash: Mapped[bytes] = digest("transaction_hash")
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    slash_id: Mapped[int | None] = mapped_column(ForeignKey("slash.id"), nullable=True)
    time: Mapped[datetime] = created_at()


class Withdrawal(Base):
    """A request that was paid out on chain."""

    __tablename__ = "withdrawal"
    __table_args__ = (UniqueConstraint("request_id"),)

    id: Mapped[int] = identity()
    event_id: Mapped[int] = mapped_column(ForeignKey("chain_event.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("withdrawal_request.id"))
    wallet_id: Mapped[int | None] = mapped_column(ForeignKey("wallet.id"), nullable=True)
    amount: Mapped[int] = uint256("amount")
    eon: Mapped[int] = counter("eon")
    block: Mapped[int] = counter("block")
    transaction_hash: Mapped[bytes] = digest("transaction_hash")
    time: Mapped[datetime] = created_at()


class Challenge(Base):
    """A challenge opened on chain, known or not to the ledger, with its deadline block.

    It is known by the place of its event. The members from `trail` to `delivered_tx_nonce` are the
    contract's record, null until it was seen: the challenge of a sender stays behind that of the
    recipient of the same pair. `cleared_hash` is the block in whose state the record was gone;
    once that block is confirmed the challenge is answered.
    """

    __tablename__ = "challenge"
    __table_args__ = (
        UniqueConstraint("block_hash", "log_index"),
        Index(
            "ix_challenge_open",
            "deadline_block",
            postgresql_where=text("status IN ('open', 'answering')"),
        ),
        Index("ix_challenge_token_or_conduit", "token_or_conduit", "recipient", "sender"),
        CheckConstraint(
            "kind IN ('state_update', 'delivery', 'swap', 'unknown')", name="kind_is_known"
        ),
        CheckConstraint(
            "status IN ('open', 'answering', 'answered', 'lapsed', 'orphaned')",
            name="status_is_known",
        ),
        CheckConstraint(
            "num_nulls(trail, initial_state_balance, delta_highest_spendings, delta_highest_gains,"
            " final_state_balance, delivered_tx_nonce) IN (0, 6)",
            name="record_is_whole",
        ),
        CheckConstraint(
            "(cleared_block IS NULL) = (cleared_hash IS NULL)", name="cleared_in_a_block"
        ),
        CheckConstraint(
            "status <> 'answered' OR cleared_hash IS NOT NULL", name="answered_is_cleared"
        ),
        CheckConstraint("deadline_block > issue_block", name="deadline_follows"),
    )

    id: Mapped[int] = identity()
    block_hash: Mapped[bytes] = digest("block_hash")
    log_index: Mapped[int] = counter("log_index")
    transaction_hash: Mapped[bytes] = digest("transaction_hash")
    token_or_conduit: Mapped[bytes] = fixed_bytes("token_or_conduit", 20)
    recipient: Mapped[bytes] = fixed_bytes("recipient", 20)
    sender: Mapped[bytes] = fixed_bytes("sender", 20)
    kind: Mapped[str] = mapped_column(Text)
    eon: Mapped[int] = counter("eon")
    initial_state_eon: Mapped[int] = counter("initial_state_eon")
    issue_block: Mapped[int] = counter("issue_block")
    deadline_block: Mapped[int] = counter("deadline_block")
    trail: Mapped[int | None] = uint256("trail", nullable=True)
    initial_state_balance: Mapped[int | None] = uint256("initial_state_balance", nullable=True)
    delta_highest_spendings: Mapped[int | None] = uint256("delta_highest_spendings", nullable=True)
    delta_highest_gains: Mapped[int | None] = uint256("delta_highest_gains", nullable=True)
    final_state_balance: Mapped[int | None] = uint256("final_state_balance", nullable=True)
    delivered_tx_nonce: Mapped[int | None] = uint256("delivered_tx_nonce", nullable=True)
    cleared_block: Mapped[int | None] = counter("cleared_block", nullable=True)
    cleared_hash: Mapped[bytes | None] = digest("cleared_hash", nullable=True)
    status: Mapped[str] = mapped_column(Text, server_default="open")
    time: Mapped[datetime] = created_at()


class SuppliedAnswer(Base):
    """An answer to a challenge that a person made: the call data, who, and why."""

    __tablename__ = "supplied_answer"

    id: Mapped[int] = identity()
    challenge_id: Mapped[int] = mapped_column(ForeignKey("challenge.id"))
    calldata: Mapped[bytes] = mapped_column(LargeBinary)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    time: Mapped[datetime] = created_at()
