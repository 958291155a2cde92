"""Signatures: deterministic and low, strict about what cannot be one, keys never shown."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.keccak import keccak256, require_fast_crypto
from protocol.signing import (
    InvalidPrivateKey,
    InvalidSignature,
    Signer,
    format_signature,
    is_signed_by,
    parse_private_key,
    parse_signature,
    recover,
    sign,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = bytes.fromhex("4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d")
MESSAGE = keccak256(b"a message")
keys = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
messages = st.binary(min_size=32, max_size=32)


@given(keys, messages)
def test_signatures_are_low_deterministic_and_recover_to_their_signer(
    key: bytes, message: bytes
) -> None:
    signer = Signer(key)
    signature = signer.sign(message)
    assert signature == sign(message, key) and signature[64] in (27, 28)
    assert int.from_bytes(signature[32:64], "big") <= ORDER // 2
    assert recover(message, signature) == signer.address
    assert parse_signature(format_signature(signature)) == signature


@given(keys, messages)
def test_the_high_twin_of_a_signature_is_accepted(key: bytes, message: bytes) -> None:
    signature = Signer(key).sign(message)
    high = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + high.to_bytes(32, "big") + bytes((55 - signature[64],))
    assert is_signed_by(message, twin, Signer(key).address)


@given(st.integers(0, 519))
def test_no_altered_signature_passes_for_its_signer(bit: int) -> None:
    signer = Signer(KEY)
    number = int.from_bytes(signer.sign(MESSAGE), "big") ^ (1 << bit)
    assert not is_signed_by(MESSAGE, number.to_bytes(65, "big"), signer.address)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 30, 34, 255])
def test_every_v_but_27_and_28_is_refused(v: int) -> None:
    with pytest.raises(InvalidSignature):
        recover(MESSAGE, Signer(KEY).sign(MESSAGE)[:64] + bytes((v,)))


@pytest.mark.parametrize("number", [0, ORDER, ORDER + 1, 2**256 - 1])
@pytest.mark.parametrize("place", [0, 32])
def test_r_and_s_of_zero_or_beyond_the_group_are_refused(number: int, place: int) -> None:
    signature = bytearray(Signer(KEY).sign(MESSAGE))
    signature[place : place + 32] = number.to_bytes(32, "big")
    with pytest.raises(InvalidSignature):
        recover(MESSAGE, bytes(signature))


@pytest.mark.parametrize("text", ["", "00" * 64, "00" * 66, "0x" + "00" * 65, "zz" * 65, " " * 130])
def test_only_130_hexadecimal_digits_are_a_signature(text: str) -> None:
    with pytest.raises(InvalidSignature):
        parse_signature(text)


@pytest.mark.parametrize("key", [bytes(32), ORDER.to_bytes(32, "big"), b"short", bytes(33)])
def test_keys_outside_of_the_group_are_refused(key: bytes) -> None:
    with pytest.raises(InvalidPrivateKey):
        Signer(key)


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "xx" * 32, f"0x0x{KEY.hex()}"])
def test_key_texts_of_another_shape_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(InvalidPrivateKey) as refusal:
        parse_private_key(text)
    assert not text or text not in str(refusal.value)
    assert parse_private_key(f"0x{KEY.hex()}") == KEY


def test_a_signer_neither_prints_nor_pickles_its_key() -> None:
    signer = Signer(KEY)
    assert KEY.hex() not in repr(signer) + str(signer)
    with pytest.raises(InvalidPrivateKey):
        pickle.dumps(signer)


def test_crypto_is_compiled() -> None:
    require_fast_crypto()
