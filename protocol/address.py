"""Addresses: 20 bytes inside the protocol, hexadecimal text with or without a checksum outside."""

from typing import TypeAlias

from protocol.errors import ProtocolError
from protocol.keccak import keccak256

Address: TypeAlias = bytes
"""The 20 raw bytes of an account or contract."""

ZERO_ADDRESS: Address = bytes(20)


class InvalidAddress(ProtocolError):
    """A text is not an address, or its mixed case contradicts its checksum."""


def parse_address(text: str) -> Address:
    """Read 40 hexadecimal digits in any letter case, `0x` tolerated. Raises `InvalidAddress`.

    Wallets send addresses in every case, so the case proves nothing here.
    """
    digits = text.removeprefix("0x")
    try:
        address = bytes.fromhex(digits)
    except ValueError:
        raise InvalidAddress("an address is written in hexadecimal digits") from None
    if len(digits) != 40 or len(address) != 20:
        raise InvalidAddress("an address has 40 hexadecimal digits")
    return address


def parse_checksummed_address(text: str) -> Address:
    """Read an address that a person typed or configured. Raises `InvalidAddress`.

    Mixed case must agree with EIP-55, since a typing error here costs money; one case alone
    carries no checksum and passes.
    """
    address = parse_address(text)
    digits = text.removeprefix("0x")
    if digits not in (digits.lower(), digits.upper()) and checksum_address(address)[2:] != digits:
        raise InvalidAddress("the letter case of the address contradicts its checksum")
    return address


def checksum_address(address: Address) -> str:
    """Write 20 bytes as `0x` and 40 digits in the letter case of EIP-55."""
    if len(address) != 20:
        raise InvalidAddress("an address has 20 bytes")
    digits = address.hex()
    nibbles = keccak256(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if nibble >= "8" else digit
        for digit, nibble in zip(digits, nibbles, strict=False)
    )


def hashed_address(address: Address) -> bytes:
    """Hash an address: the form in which addresses enter every signed message and leaf."""
    if len(address) != 20:
        raise InvalidAddress("an address has 20 bytes")
    return keccak256(address)
