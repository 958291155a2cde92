"""A small encoder of contract calls: function selectors and arguments as Solidity packs them.

Covers the types in the operator's calls: static values of one word (addresses, numbers, 32 bytes),
arrays of fixed length of such values, nested too, and arrays of any length of one-word values.
"""

from collections.abc import Sequence
from typing import TypeAlias

from protocol.encoding import u256
from protocol.errors import ProtocolError
from protocol.keccak import keccak256

Argument: TypeAlias = "int | bytes | Sequence[Argument]"


class NotEncodable(ProtocolError):
    """An argument does not fit the type in the function's signature."""


def encode_call(signature: str, arguments: Sequence[Argument]) -> bytes:
    """Encode a call of `signature`, such as `transfer(address,uint256)`. Raises `NotEncodable`."""
    types = signature[signature.index("(") + 1 : -1].split(",")
    if len(types) != len(arguments):
        raise NotEncodable("the number of arguments differs from the signature")
    head_size = sum(_words(kind) * 32 for kind in types)
    head, tail = b"", b""
    for kind, argument in zip(types, arguments, strict=True):
        if kind.endswith("[]"):
            head += u256(head_size + len(tail))
            entries = _sequence(argument)
            tail += u256(len(entries)) + b"".join(_static(kind[:-2], entry) for entry in entries)
        else:
            head += _static(kind, argument)
    return keccak256(signature.encode("ascii"))[:4] + head + tail


def _words(kind: str) -> int:
    """Count the words that a type takes in the head; the place of a dynamic array is one."""
    if kind.endswith("[]"):
        return 1
    if kind.endswith("]"):
        inner, length = kind[:-1].rsplit("[", 1)
        return _words(inner) * int(length)
    return 1


def _static(kind: str, argument: Argument) -> bytes:
    if kind.endswith("]"):
        inner, length = kind[:-1].rsplit("[", 1)
        entries = _sequence(argument)
        if len(entries) != int(length):
            raise NotEncodable(f"{kind} has {length} entries")
        return b"".join(_static(inner, entry) for entry in entries)
    if kind == "address" and isinstance(argument, bytes) and len(argument) == 20:
        return bytes(12) + argument
    if kind == "bytes32" and isinstance(argument, bytes) and len(argument) == 32:
        return argument
    if kind.startswith("uint") and isinstance(argument, int):
        if argument >> int(kind.removeprefix("uint")):
            raise NotEncodable(f"{argument} does not fit {kind}")
        return u256(argument)
    raise NotEncodable(f"not a value of {kind}")


def _sequence(argument: Argument) -> Sequence[Argument]:
    if isinstance(argument, int | bytes):
        raise NotEncodable("an array is wanted")
    return argument
