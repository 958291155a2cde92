"""A key in another process signs what its own process would, and nothing else is believed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from chain.fees import DynamicFee, Fee, LegacyFee
from chain.remote_signer import (
    COOL_DOWN_S,
    RemoteKey,
    RemoteMessageSigner,
    RemoteTransactionSigner,
)
from chain.signer import TransactionRequest, TransactionSigner
from protocol.keccak import keccak256
from protocol.signing import Signer, SignerUnavailable, recover
from tests.chain.signer_service import RunningSigner, running_signer

KEY = keccak256(b"the key of a remote signer")
ADDRESS = Signer(KEY).address
MESSAGES = [keccak256(b"message %d" % number) for number in range(8)]
FEES = [DynamicFee(30, 2), LegacyFee(30)]


@pytest.fixture(scope="module")
def process() -> Iterator[RunningSigner]:
    with running_signer(KEY) as signer:
        yield signer


@pytest.fixture
def remote(process: RunningSigner) -> Iterator[RemoteKey]:
    yield RemoteKey(process.url, ADDRESS, timeout_s=0.5)
    process.behave("honest")


def request(fee: Fee, nonce: int = 7) -> TransactionRequest:
    return TransactionRequest(
        chain_id=1337,
        nonce=nonce,
        to=bytes(range(20)),
        value=5,
        data=b"\x01\x02",
        gas_limit=90_000,
        fee=fee,
    )


def test_it_countersigns_exactly_like_the_key_itself(remote: RemoteKey) -> None:
    signer, local = RemoteMessageSigner(remote), Signer(KEY)
    assert signer.address == local.address
    for message in MESSAGES:
        assert signer.sign(message) == local.sign(message)


@pytest.mark.parametrize("spelling", ["without v", "v from 0", "high"])
def test_signatures_are_brought_into_the_form_that_the_contract_accepts(
    remote: RemoteKey, process: RunningSigner, spelling: str
) -> None:
    process.behave(spelling)
    for message in MESSAGES:
        signature = RemoteMessageSigner(remote).sign(message)
        assert signature == Signer(KEY).sign(message)
        assert signature[64] in (27, 28) and recover(message, signature) == ADDRESS


@pytest.mark.parametrize("fee", FEES)
@pytest.mark.parametrize("nonce", [0, 7, 1000])
def test_it_signs_transactions_exactly_like_the_key_itself(
    remote: RemoteKey, fee: Fee, nonce: int
) -> None:
    asked = request(fee, nonce)
    assert RemoteTransactionSigner(remote).sign(asked) == TransactionSigner(KEY).sign(asked)


def test_an_answer_like_a_nodes_is_read_too(remote: RemoteKey, process: RunningSigner) -> None:
    process.behave("like a node")
    asked = request(FEES[0])
    assert RemoteTransactionSigner(remote).sign(asked) == TransactionSigner(KEY).sign(asked)


@pytest.mark.parametrize("wrong", ["foreign", "altered", "garbage"])
def test_a_countersignature_of_anything_else_is_refused(
    remote: RemoteKey, process: RunningSigner, wrong: str
) -> None:
    process.behave(wrong)
    with pytest.raises(SignerUnavailable):
        RemoteMessageSigner(remote).sign(MESSAGES[0])
    process.behave("honest")
    assert RemoteMessageSigner(remote).sign(MESSAGES[0]) == Signer(KEY).sign(MESSAGES[0])


@pytest.mark.parametrize("fee", FEES)
@pytest.mark.parametrize(
    "wrong", ["foreign", "altered", "other chain", "other to", "garbage", "refusing"]
)
def test_any_other_transaction_is_refused(
    remote: RemoteKey, process: RunningSigner, wrong: str, fee: Fee
) -> None:
    process.behave(wrong)
    with pytest.raises(SignerUnavailable):
        RemoteTransactionSigner(remote).sign(request(fee))


def test_a_signer_without_the_key_is_told_apart_by_name(
    process: RunningSigner, remote: RemoteKey
) -> None:
    other = RemoteKey(process.url, Signer(b"\x09" * 32).address, timeout_s=0.5)
    with pytest.raises(SignerUnavailable, match=f"holds no key of 0x{other.address.hex()}"):
        other.identifier()
    process.behave("keyless")
    with pytest.raises(SignerUnavailable, match="holds no key"):
        RemoteMessageSigner(remote).sign(MESSAGES[0])


@pytest.mark.parametrize("trouble", ["silent", "failing"])
def test_a_signer_in_trouble_costs_its_time_limit_once_and_comes_back(
    remote: RemoteKey, process: RunningSigner, trouble: str
) -> None:
    signer = RemoteMessageSigner(remote)
    signer.sign(MESSAGES[0])
    process.behave(trouble)
    began = time.monotonic()
    for message in MESSAGES:
        with pytest.raises(SignerUnavailable):
            signer.sign(message)
    assert time.monotonic() - began < 1.5
    process.behave("honest")
    time.sleep(COOL_DOWN_S)
    assert signer.sign(MESSAGES[0]) == Signer(KEY).sign(MESSAGES[0])


def test_nothing_of_the_address_but_host_and_port_ever_shows() -> None:
    remote = RemoteKey("http://user:s3cret@127.0.0.1:1/path-key", ADDRESS, timeout_s=0.2)
    with pytest.raises(SignerUnavailable) as caught:
        RemoteMessageSigner(remote).sign(MESSAGES[0])
    shown = f"{caught.value!r}{caught.value.__context__!r}{remote!r}{RemoteMessageSigner(remote)!r}"
    assert "127.0.0.1:1" in shown
    assert "s3cret" not in shown and "path-key" not in shown
