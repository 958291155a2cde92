"""Arrays as one text each, the cheapest form in which many values reach a statement."""

from __future__ import annotations

from collections.abc import Iterable


def integers(values: Iterable[int]) -> str:
    """Write an array of integers, for `%s::bigint[]` or `%s::numeric[]`."""
    return "{" + ",".join(map(str, values)) + "}"


def optional_integers(values: Iterable[int | None]) -> str:
    """Write an array of integers some of which are null."""
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


def byte_strings(values: Iterable[bytes]) -> str:
    """Write an array of byte strings, for `%s::bytea[]`."""
    return "{" + ",".join(f'"\\\\x{value.hex()}"' for value in values) + "}"


def optional_byte_strings(values: Iterable[bytes | None]) -> str:
    """Write an array of byte strings some of which are null."""
    return (
        "{"
        + ",".join("NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values)
        + "}"
    )
