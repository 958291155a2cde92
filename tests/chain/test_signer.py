"""Signing is repeatable, keeps to the key's account and never shows the key."""

import pickle
import traceback

import pytest
from eth_account import Account

from chain.fees import DynamicFee, Fee, LegacyFee
from chain.signer import TransactionRequest, TransactionSigner
from protocol.keccak import keccak256
from protocol.signing import InvalidPrivateKey

KEY = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")


def _request(fee: Fee) -> TransactionRequest:
    return TransactionRequest(
        chain_id=1337,
        nonce=7,
        to=bytes(range(20)),
        value=5,
        data=b"\x01\x02",
        gas_limit=90_000,
        fee=fee,
    )


@pytest.mark.parametrize("fee", [DynamicFee(30, 2), LegacyFee(30)])
def test_the_same_request_always_gives_the_same_bytes_and_their_hash(fee: Fee) -> None:
    first = TransactionSigner(KEY).sign(_request(fee))
    assert TransactionSigner(KEY).sign(_request(fee)) == first
    assert first.tx_hash == keccak256(first.raw)
    assert first.raw[0] == (2 if isinstance(fee, DynamicFee) else first.raw[0])


@pytest.mark.parametrize("fee", [DynamicFee(30, 2), LegacyFee(30)])
def test_a_signature_recovers_to_the_signers_address(fee: Fee) -> None:
    signer = TransactionSigner(KEY)
    raw = signer.sign(_request(fee)).raw
    assert Account.recover_transaction(raw).lower() == f"0x{signer.address.hex()}"


def test_a_legacy_signature_is_bound_to_the_chain() -> None:
    signer = TransactionSigner(KEY)
    here = _request(LegacyFee(30))
    there = TransactionRequest(
        chain_id=1,
        nonce=here.nonce,
        to=here.to,
        value=here.value,
        data=here.data,
        gas_limit=here.gas_limit,
        fee=here.fee,
    )
    assert signer.sign(here).raw != signer.sign(there).raw


def test_the_key_shows_in_no_representation() -> None:
    signer = TransactionSigner(KEY)
    assert KEY.hex() not in repr(signer) + str(signer) + f"{signer!a}"
    with pytest.raises(TypeError):
        pickle.dumps(signer)
    with pytest.raises(TypeError):
        vars(signer)


@pytest.mark.parametrize("key", [KEY[:31], KEY + b"\0", bytes(32), b"\xff" * 32])
def test_bytes_that_are_no_key_are_refused_without_being_repeated(key: bytes) -> None:
    with pytest.raises(InvalidPrivateKey) as caught:
        TransactionSigner(key)
    shown = "".join(traceback.format_exception(caught.value))
    assert key.hex() not in shown and repr(key) not in shown
