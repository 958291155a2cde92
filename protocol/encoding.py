"""Fixed-width integers as the contract packs them, and amounts as wallets write them.

Numbers inside a hash are unsigned and big-endian, without separators. The width is part of the
meaning: trails take 8 bytes, tree heights 4, operation codes 1, everything else 32. A value that
does not fit is refused, since a longer byte string would hash to something no contract computes.
"""

from decimal import Decimal, InvalidOperation

from protocol.errors import ProtocolError

MAX_U64 = 2**64 - 1
MAX_U256 = 2**256 - 1
ZERO_HASH = bytes(32)

# Longer texts cannot be an amount below 2^256 in any spelling that software produces.
_LONGEST_AMOUNT_TEXT = 200
_MOST_DIGITS = 78


class OutOfRange(ProtocolError):
    """An integer does not fit its field."""


class InvalidAmount(ProtocolError):
    """A text or number is not a whole amount between 0 and 2^256 - 1."""


def u8(value: int) -> bytes:
    """Encode `value` in 1 byte. Raises `OutOfRange`."""
    return unsigned(value, 8)


def u32(value: int) -> bytes:
    """Encode `value` in 4 bytes. Raises `OutOfRange`."""
    return unsigned(value, 32)


def u64(value: int) -> bytes:
    """Encode `value` in 8 bytes. Raises `OutOfRange`."""
    return unsigned(value, 64)


def u256(value: int) -> bytes:
    """Encode `value` in 32 bytes. Raises `OutOfRange`."""
    try:
        return value.to_bytes(32, "big")
    except OverflowError:
        raise OutOfRange(f"{value} does not fit 256 unsigned bits") from None


def unsigned(value: int, width_bits: int) -> bytes:
    """Encode a non-negative integer big-endian in `width_bits` bits. Raises `OutOfRange`."""
    try:
        return value.to_bytes(width_bits // 8, "big")
    except OverflowError:
        raise OutOfRange(f"{value} does not fit {width_bits} unsigned bits") from None


def signed(value: int, width_bits: int) -> bytes:
    """Encode an integer in two's complement, big-endian. Raises `OutOfRange`."""
    try:
        return value.to_bytes(width_bits // 8, "big", signed=True)
    except OverflowError:
        raise OutOfRange(f"{value} does not fit {width_bits} signed bits") from None


def digest_of_hex(text: str) -> bytes:
    """Read 32 bytes from 64 hexadecimal digits, `0x` tolerated. Raises `ProtocolError`."""
    digits = text.removeprefix("0x")
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        raise ProtocolError("a digest is written in hexadecimal digits") from None
    if len(digits) != 64 or len(value) != 32:
        raise ProtocolError("a digest has 64 hexadecimal digits")
    return value


def parse_amount(value: str | int) -> int:
    """Read an amount, nonce, position or balance as wallets send it.

    Takes integers and texts, exponents included (`"1.5e+21"`: big-number libraries write so from
    10^21 on). Raises `InvalidAmount` for decimal places (`1.0` too), signs, other forms and
    anything above 2^256 - 1.
    """
    if isinstance(value, bool):
        raise InvalidAmount("an amount is a number")
    number = value if isinstance(value, int) else _whole_number(value)
    if not 0 <= number <= MAX_U256:
        raise InvalidAmount("an amount lies between 0 and 2^256 - 1")
    return number


def _whole_number(text: str) -> int:
    if len(text) > _LONGEST_AMOUNT_TEXT or "_" in text:
        raise InvalidAmount("not a decimal number")
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise InvalidAmount("not a decimal number") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidAmount("not a finite number")
    if exponent < 0:
        raise InvalidAmount("an amount has no decimal places")
    # Before int(): "1e999999999" would otherwise be expanded.
    if number and number.adjusted() >= _MOST_DIGITS:
        raise InvalidAmount("an amount lies between 0 and 2^256 - 1")
    return int(number)
