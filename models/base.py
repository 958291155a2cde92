"""The declarative base, the naming of constraints and the column types of money and bytes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, DateTime, Identity, LargeBinary, MetaData, Numeric, func
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column
from sqlalchemy.types import BigInteger, TypeDecorator

UINT256_MAX: Final = 2**256 - 1

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table of the ledger."""

    metadata = MetaData(naming_convention=NAMES)


class Integer256(TypeDecorator[int]):
    """An integer of up to 78 digits in a `numeric` column: never a float, never a Decimal."""

    impl = Numeric(78, 0)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> int | None:
        """Refuse anything but an integer before it reaches the database."""
        if value is not None and type(value) is not int:
            raise TypeError(f"an amount is an int, not {type(value).__name__}")
        return value

    def process_result_value(self, value: Any | None, dialect: Any) -> int | None:
        """Read the stored number as an int."""
        return None if value is None else int(value)


def identity() -> MappedColumn[int]:
    """Return a surrogate key of 64 bits."""
    return mapped_column(BigInteger, Identity(), primary_key=True)


def uint256(name: str, *, nullable: bool = False, default: int | None = None) -> MappedColumn[Any]:
    """Return a column of an amount, a nonce or a position: 0 to 2**256 - 1, smallest units."""
    check = CheckConstraint(f"{name} >= 0 AND {name} <= {UINT256_MAX}", name=f"{name}_is_uint256")
    server_default = None if default is None else str(default)
    return mapped_column(name, Integer256, check, nullable=nullable, server_default=server_default)


def counter(name: str, *, nullable: bool = False, default: int | None = None) -> MappedColumn[Any]:
    """Return a column of an eon, a block, a trail or a count: 64 bits, not negative."""
    check = CheckConstraint(f"{name} >= 0", name=f"{name}_is_not_negative")
    server_default = None if default is None else str(default)
    return mapped_column(name, BigInteger, check, nullable=nullable, server_default=server_default)


def fixed_bytes(name: str, length: int, *, nullable: bool = False) -> MappedColumn[Any]:
    """Return a column of exactly `length` bytes: 20 an address, 32 a digest, 65 a signature."""
    check = CheckConstraint(f"octet_length({name}) = {length}", name=f"{name}_has_{length}_bytes")
    return mapped_column(name, LargeBinary, check, nullable=nullable)


def digest(name: str, *, nullable: bool = False) -> MappedColumn[Any]:
    """Return a column of a Keccak digest."""
    return fixed_bytes(name, 32, nullable=nullable)


def signature(name: str, *, nullable: bool = False) -> MappedColumn[Any]:
    """Return a column of a signature r, s, v."""
    return fixed_bytes(name, 65, nullable=nullable)


def digests(name: str, *, nullable: bool = False) -> MappedColumn[Any]:
    """Return a column of concatenated digests: at most 32, the deepest tree there is."""
    check = CheckConstraint(
        f"octet_length({name}) % 32 = 0 AND octet_length({name}) <= 1024",
        name=f"{name}_are_digests",
    )
    return mapped_column(name, LargeBinary, check, nullable=nullable)


def created_at() -> Mapped[datetime]:
    """Return the column of the time at which the ledger recorded the row."""
    return mapped_column(DateTime(timezone=True), server_default=func.now(), nullable=False)
