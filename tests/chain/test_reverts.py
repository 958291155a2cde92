"""A revert has one name, however the node wraps it."""

import re
from pathlib import Path

import pytest
from eth_abi.abi import encode

from chain.abi import functions
from chain.reverts import name_revert


def _error(letter: str) -> str:
    return "0x08c379a0" + encode(["string"], [letter]).hex()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_error("b"), "execution reverted: b"),
        ("Reverted " + _error("b"), "VM execution error."),
        ({"data": _error("b")}, "revert"),
        (None, "execution reverted: b"),
        (None, "VM Exception while processing transaction: reverted with reason string 'b'"),
        ("no hex at all", "execution reverted: b"),
    ],
)
def test_the_reason_is_found_in_every_nodes_wrapping(data: object, message: str) -> None:
    revert = name_revert("submitCheckpoint", data, message)
    assert revert.reason == "b"
    assert revert.meaning == "the accumulator of the previous eon is another one now"


def test_the_same_letter_means_different_things_in_different_calls() -> None:
    meanings = {
        name_revert(function, _error("b")).meaning
        for function in ("submitCheckpoint", "requestWithdrawal", "answerStateUpdateChallenge")
    }
    assert len(meanings) == 3


def test_a_refusal_without_reason_still_says_what_the_function_may_mean() -> None:
    revert = name_revert("submitCheckpoint", "0x", "execution reverted")
    assert (revert.reason, revert.meaning) == ("", "not the operator")


def test_checked_arithmetic_of_both_compilers_is_named() -> None:
    panic = "0x4e487b71" + encode(["uint256"], [0x11]).hex()
    assert "underflow" in name_revert("confirmWithdrawal", panic).meaning
    assert "below zero" in name_revert("deposit", _error("-")).meaning


def test_every_reason_that_our_contract_gives_has_a_meaning() -> None:
    sources = Path("contracts/src").glob("*.sol")
    reasons = {
        found
        for source in sources
        if source.stem != "DevelopmentToken"
        for found in re.findall(r'require\([^;]*"([^"]+)"\s*\);', source.read_text())
    } - {"eon"}
    assert {"p", "operator"} <= reasons
    for reason in reasons:
        named = [name_revert(function, _error(reason)).meaning for function in functions()]
        assert any(meaning != "an unlisted reason" for meaning in named), reason


@pytest.mark.parametrize("data", ["0x08c379a0", "0x08c379a0" + "ff" * 64, "0x4e487b71", "0xabc"])
def test_malformed_revert_data_is_no_reason_and_no_failure(data: str) -> None:
    assert name_revert("deposit", data).reason == ""
