"""Addresses, amounts and fixed widths: what is read, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.address import (
    InvalidAddress,
    checksum_address,
    parse_address,
    parse_checksummed_address,
)
from protocol.encoding import (
    MAX_U256,
    InvalidAmount,
    OutOfRange,
    digest_of_hex,
    parse_amount,
    u8,
    u32,
    u64,
    u256,
)
from protocol.errors import ProtocolError

ADDRESS = "0x9561C133DD8580860B6b7E504bC5Aa500f0f06a7"


@given(st.binary(min_size=20, max_size=20))
def test_an_address_is_read_back_in_every_case(address: bytes) -> None:
    text = checksum_address(address)
    for form in (text, text[2:], text.lower(), "0x" + text[2:].upper()):
        assert parse_address(form) == parse_checksummed_address(form) == address


def test_a_typing_error_in_a_checksummed_address_is_caught() -> None:
    wrong = ADDRESS.replace("C133", "c133")
    assert parse_address(wrong) == parse_address(ADDRESS)
    with pytest.raises(InvalidAddress, match="checksum"):
        parse_checksummed_address(wrong)


@pytest.mark.parametrize("text", ["", "0x", "00" * 19, "00" * 21, "zz" * 20, "0x0x" + "00" * 19])
def test_other_texts_are_not_addresses(text: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_address(text)


@given(st.integers(0, MAX_U256))
def test_amounts_are_read_from_numbers_and_decimals(amount: int) -> None:
    assert (
        parse_amount(amount) == parse_amount(str(amount)) == parse_amount(f" {amount} ") == amount
    )


@pytest.mark.parametrize(
    ("text", "amount"), [("1e+21", 10**21), ("1.5e+21", 15 * 10**20), ("0", 0), ("0e5", 0)]
)
def test_exponents_are_amounts(text: str, amount: int) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "value",
    ["", "x", "1.0", "12.5", "1e-7", "-1", -1, 2**256, str(2**256), "1e78", "1e999999999",
     "NaN", "Infinity", "1_000", "0x10", True, "9" * 300],
)  # fmt: skip
def test_fractions_signs_and_giants_are_not_amounts(value: str | int) -> None:
    with pytest.raises(InvalidAmount):
        parse_amount(value)


def test_numbers_that_do_not_fit_their_field_are_refused() -> None:
    for encode, bits in ((u8, 8), (u32, 32), (u64, 64), (u256, 256)):
        assert encode(2**bits - 1) == b"\xff" * (bits // 8)
        for wrong in (-1, 2**bits):
            with pytest.raises(OutOfRange):
                encode(wrong)


def test_a_digest_has_64_digits() -> None:
    assert digest_of_hex("0x" + "ab" * 32) == digest_of_hex("AB" * 32) == b"\xab" * 32
    for wrong in ("ab" * 31, "ab" * 33, "xy" * 32, " " * 64):
        with pytest.raises(ProtocolError):
            digest_of_hex(wrong)
