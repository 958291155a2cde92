"""Tokens and the pairs in which they are traded."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, counter, fixed_bytes, identity


class Token(Base):
    """A token of the commit-chain; the native asset has trail 0 and the contract's address.

    `text` keeps the letter case in which the operator configured the address: the wire echoes it.
    A token is `pending` until its registration is confirmed on chain with the same trail.
    """

    __tablename__ = "token"
    __table_args__ = (
        UniqueConstraint("address"),
        UniqueConstraint("trail"),
        CheckConstraint("state IN ('pending', 'active')", name="state_is_known"),
        CheckConstraint("(state = 'active') = (trail IS NOT NULL)", name="active_has_a_trail"),
        CheckConstraint("char_length(name) <= 40", name="name_is_short"),
        CheckConstraint("char_length(short_name) <= 40", name="short_name_is_short"),
        CheckConstraint("text ~ '^[0-9a-fA-F]{40}$'", name="text_is_hexadecimal"),
        CheckConstraint("decode(text, 'hex') = address", name="text_spells_the_address"),
    )

    id: Mapped[int] = identity()
    address: Mapped[bytes] = fixed_bytes("address", 20)
    text: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    short_name: Mapped[str] = mapped_column(Text)
    trail: Mapped[int | None] = counter("trail", nullable=True)
    block: Mapped[int] = counter("block")
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    # The next trail of a wallet in this token; taken under this row's lock, so trails are dense.
    wallet_count: Mapped[int] = counter("wallet_count", default=0)


class TokenPair(Base):
    """A direction in which orders may be placed: selling `token_from` for `token_to`."""

    __tablename__ = "token_pair"
    __table_args__ = (
        UniqueConstraint("token_from_id", "token_to_id"),
        UniqueConstraint("conduit"),
        CheckConstraint("token_from_id <> token_to_id", name="tokens_differ"),
    )

    id: Mapped[int] = identity()
    token_from_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    token_to_id: Mapped[int] = mapped_column(ForeignKey("token.id"))
    conduit: Mapped[bytes] = fixed_bytes("conduit", 20)


class BlacklistEntry(Base):
    """An address that an administrator bars from admission, with who did it and why."""

    __tablename__ = "blacklist_entry"
    __table_args__ = (Index("uq_blacklist_entry_address", text("address"), unique=True),)

    id: Mapped[int] = identity()
    address: Mapped[bytes] = fixed_bytes("address", 20)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
