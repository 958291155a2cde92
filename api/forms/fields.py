"""Fields: amounts, eons, texts, signatures and addresses, each read to its real type."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from api.forms.form import Form, bad
from protocol.address import Address, InvalidAddress, parse_address
from protocol.encoding import MAX_U256
from protocol.signing import InvalidSignature, parse_signature

LONGEST_NUMBER_TEXT: Final = 1000
MOST_DIGITS: Final = 80
SURELY_SMALL_DIGITS: Final = 77
LARGEST_EON: Final = 2**63 - 1
LONGEST_SIGNATURE: Final = 130
LONGEST_ADDRESS: Final = 42
UNSIGNED: Final = b""
"""Stands for a signature in no known form: nobody signed it, and the rule that asks says so."""


def amount(value: Any) -> int:
    """Read an amount, nonce or balance: a number or text, exponents included, below 2^256."""
    if isinstance(value, str):
        if value.isascii() and value.isdigit() and len(value) <= SURELY_SMALL_DIGITS:
            return int(value)
        number = _whole_decimal(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise bad("invalid", "not a number")
    if number < 0:
        raise bad("min_value", "below 0")
    if number > MAX_U256:
        raise bad("max_value", "not below 2^256")
    return number


def _whole_decimal(text: str) -> int:
    if len(text) > LONGEST_NUMBER_TEXT:
        raise bad("max_string_length", "too long")
    try:
        number = Decimal(text.strip()) if "_" not in text else None
    except InvalidOperation:
        number = None
    if number is None:
        raise bad("invalid", "not a number")
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise bad("invalid", "not a finite number")
    if max(len(digits) + max(exponent, 0), -exponent) > MOST_DIGITS:
        raise bad("max_digits", f"more than {MOST_DIGITS} digits")
    if exponent < 0:
        raise bad("max_decimal_places", "not whole")
    return int(number)


def eon(value: Any) -> int:
    """Read an eon or an id: a JSON integer or a text of digits, within 63 bits."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise bad("invalid", "not an integer")
    if isinstance(value, str):
        if len(value) > LONGEST_NUMBER_TEXT:
            raise bad("max_string_length", "too long")
        if not value.isascii() or not value.removeprefix("-").isdigit():
            raise bad("invalid", "not an integer")
        value = int(value)
    if value < 0:
        raise bad("min_value", "below 0")
    if value > LARGEST_EON:
        raise bad("max_value", "too large")
    return int(value)


def text(longest: int) -> Callable[[Any], str]:
    """Return a reader of texts of 1 to `longest` characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise bad("invalid", "not a text")
        stripped = value.strip()
        if not stripped:
            raise bad("blank", "must not be blank")
        if len(stripped) > longest:
            raise bad("max_length", f"longer than {longest} characters")
        return stripped

    return read


_signature_text = text(LONGEST_SIGNATURE)
address_text = text(LONGEST_ADDRESS)


def signature(value: Any) -> bytes:
    """Read a bare signature: its 65 bytes, or `UNSIGNED` for any other text of that length."""
    try:
        return parse_signature(_signature_text(value))
    except InvalidSignature:
        return UNSIGNED


def signature_object(value: Any) -> bytes:
    """Read a signature as an object `{"value": "…"}`; see `signature`."""
    form = Form.of(value)
    read = form.take("value", signature)
    form.close()
    return UNSIGNED if read is None else read


def find_address(spelled: str) -> Address | None:
    """Read an address in any letter case, `0x` tolerated; None for what is none."""
    try:
        return parse_address(spelled)
    except InvalidAddress:
        return None
