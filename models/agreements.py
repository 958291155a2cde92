"""Terms of service and service level agreements: who may transact, and how much."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, digest, fixed_bytes, identity, signature


class TermsOfService(Base):
    """A pair of documents; the latest by time is in force, an older one for a grace period."""

    __tablename__ = "terms_of_service"
    __table_args__ = (UniqueConstraint("terms_digest", "privacy_digest"),)

    id: Mapped[int] = identity()
    terms_digest: Mapped[bytes] = digest("terms_digest")
    privacy_digest: Mapped[bytes] = digest("privacy_digest")
    time: Mapped[datetime] = created_at()


class TermsOfServiceSignature(Base):
    """An address agreed to a pair of documents."""

    __tablename__ = "terms_of_service_signature"
    __table_args__ = (UniqueConstraint("address", "terms_id"),)

    id: Mapped[int] = identity()
    address: Mapped[bytes] = fixed_bytes("address", 20)
    terms_id: Mapped[int] = mapped_column(ForeignKey("terms_of_service.id"))
    signature: Mapped[bytes] = signature("signature")
    time: Mapped[datetime] = created_at()


class ServiceLevelAgreement(Base):
    """A paid quota: valid for the payer's address until it expires, in every token."""

    __tablename__ = "service_level_agreement"
    __table_args__ = (
        UniqueConstraint("transfer_id"),
        CheckConstraint("beginning < expiry", name="expires_after_it_begins"),
        Index("ix_service_level_agreement_address_expiry", "address", "expiry"),
    )

    id: Mapped[int] = identity()
    address: Mapped[bytes] = fixed_bytes("address", 20)
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"))
    beginning: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expiry: Mapped[datetime] = mapped_column(DateTime(timezone=True))
