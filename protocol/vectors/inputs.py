"""Reading the inputs of a vector strictly: each is of its form, and none is left unread."""

from collections.abc import Iterator

from protocol.address import Address, parse_address
from protocol.encoding import digest_of_hex, parse_amount
from protocol.errors import ProtocolError
from protocol.signing import Signer, parse_private_key
from protocol.vectors.comparison import Json

_REMARK = "note"


class InvalidVector(ProtocolError):
    """A vector's inputs have another shape than their family, or contradict each other."""


class Inputs:
    """One JSON object whose fields are read by type; `unread` tells what nobody asked for."""

    def __init__(self, value: Json, name: str = "inputs") -> None:
        if not isinstance(value, dict):
            raise InvalidVector(f"{name}: not an object")
        self.name = name
        self._fields = value
        self._read: set[str] = set()
        self._inner: list[Inputs] = []

    def has(self, field: str) -> bool:
        """Tell whether the field is there."""
        return field in self._fields

    def value(self, field: str) -> Json:
        """Read a field of any type."""
        if field not in self._fields:
            raise InvalidVector(f"{self.name}.{field}: missing")
        self._read.add(field)
        return self._fields[field]

    def text(self, field: str) -> str:
        """Read a string."""
        value = self.value(field)
        if not isinstance(value, str):
            raise InvalidVector(f"{self.name}.{field}: not a string")
        return value

    def integer(self, field: str) -> int:
        """Read a JSON integer."""
        value = self.value(field)
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidVector(f"{self.name}.{field}: not an integer")
        return value

    def flag(self, field: str) -> bool:
        """Read true or false."""
        value = self.value(field)
        if not isinstance(value, bool):
            raise InvalidVector(f"{self.name}.{field}: neither true nor false")
        return value

    def amount(self, field: str) -> int:
        """Read a decimal string between 0 and 2^256 - 1."""
        return parse_amount(self.text(field))

    def address(self, field: str) -> Address:
        """Read an address in any letter case."""
        return parse_address(self.text(field))

    def digest(self, field: str) -> bytes:
        """Read 32 bytes."""
        return digest_of_hex(self.text(field))

    def private_key(self, field: str) -> bytes:
        """Read the 32 bytes of a private key."""
        return parse_private_key(self.text(field))

    def signer(self, field: str) -> Signer:
        """Read a private key as something that signs."""
        return Signer(self.private_key(field))

    def is_null(self, field: str) -> bool:
        """Tell whether the field is null; otherwise it remains to be read."""
        if self._fields.get(field, 0) is None:
            self._read.add(field)
            return True
        return False

    def record(self, field: str) -> "Inputs":
        """Read an object."""
        inner = Inputs(self.value(field), f"{self.name}.{field}")
        self._inner.append(inner)
        return inner

    def records(self, field: str) -> list["Inputs"]:
        """Read a list of objects."""
        inner = [
            Inputs(entry, f"{self.name}.{field}[{i}]") for i, entry in enumerate(self._list(field))
        ]
        self._inner.extend(inner)
        return inner

    def texts(self, field: str) -> list[str]:
        """Read a list of strings."""
        entries = self._list(field)
        texts = [entry for entry in entries if isinstance(entry, str)]
        if len(texts) != len(entries):
            raise InvalidVector(f"{self.name}.{field}: not a list of strings")
        return texts

    def unread(self) -> Iterator[str]:
        """Name the fields, remarks excepted, that nobody asked for, those of inner objects too."""
        for field in self._fields.keys() - self._read - {_REMARK}:
            yield f"{self.name}.{field}"
        for inner in self._inner:
            yield from inner.unread()

    def agree(self, field: str, given: object, derived: object) -> None:
        """Check that a field which other inputs determine agrees with them."""
        if given != derived:
            raise InvalidVector(f"{self.name}.{field}: contradicts the other inputs")

    def _list(self, field: str) -> list[Json]:
        value = self.value(field)
        if not isinstance(value, list):
            raise InvalidVector(f"{self.name}.{field}: not a list")
        return value


def hexadecimal(data: bytes) -> str:
    """Write bytes as `0x` and lower-case digits."""
    return "0x" + data.hex()


def joined(hashes: list[bytes]) -> str:
    """Write a chain of hashes in its stored form: digits without prefix or separator."""
    return b"".join(hashes).hex()


def decimals(values: list[int]) -> str:
    """Write a chain of values in its stored form: decimals joined by commas."""
    return ",".join(map(str, values))
