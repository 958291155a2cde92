"""JSON read member by member: a member too many is as wrong as one too few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from protocol.encoding import parse_amount
from protocol.errors import ProtocolError
from wallet.errors import MalformedAnswer

DEEPEST_PROOF = 32

T = TypeVar("T")


class Members:
    """One JSON object, read member by member; `close` complains of members nobody read."""

    def __init__(self, value: Any, what: str) -> None:
        if not isinstance(value, dict):
            raise MalformedAnswer(f"{what} is not an object")
        self._left = dict(value)
        self._what = what

    def take(self, name: str, read: Callable[[Any], T]) -> T:
        """Read a required member."""
        if name not in self._left:
            raise MalformedAnswer(f"{self._what} lacks {name}")
        try:
            return read(self._left.pop(name))
        except (ProtocolError, ValueError, TypeError) as cause:
            raise MalformedAnswer(f"{name} of {self._what} is malformed: {cause}") from cause

    def optional(self, name: str, read: Callable[[Any], T]) -> T | None:
        """Read a member that may be null or absent."""
        if self._left.get(name) is None:
            self._left.pop(name, None)
            return None
        return self.take(name, read)

    def close(self) -> None:
        """Refuse what was not read."""
        if self._left:
            raise MalformedAnswer(f"{self._what} has unknown members: {sorted(self._left)}")


def whole(value: Any) -> int:
    """Read a JSON number that must be whole and not negative."""
    if type(value) is not int or value < 0:
        raise ValueError(f"not a whole number: {value!r}")
    return value


def decimal(value: Any) -> int:
    """Read an amount: a string of decimal digits."""
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        raise ValueError(f"not a decimal string: {value!r}")
    return parse_amount(value)


def flag(value: Any) -> bool:
    """Read a JSON boolean."""
    if not isinstance(value, bool):
        raise ValueError(f"not a boolean: {value!r}")
    return value


def prefixed(value: Any) -> bytes:
    """Read a digest written with 0x."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"not a prefixed digest: {value!r}")
    return bare(value[2:])


def bare(value: Any) -> bytes:
    """Read a digest written without 0x."""
    if not isinstance(value, str) or len(value) != 64:
        raise ValueError(f"not a digest: {value!r}")
    return bytes.fromhex(value)


def list_of(read: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    """Make a reader of lists out of a reader of items."""

    def read_all(value: Any) -> list[T]:
        if not isinstance(value, list):
            raise ValueError("not a list")
        return [read(item) for item in value]

    return read_all


def chain_of(read: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    """Make a reader of proofs, lists that no tree makes longer than `DEEPEST_PROOF`."""

    def read_chain(value: Any) -> list[T]:
        items = list_of(read)(value)
        if len(items) > DEEPEST_PROOF:
            raise ValueError(f"a proof of {len(items)} levels")
        return items

    return read_chain
