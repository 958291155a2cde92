"""Logs become values without losing a member, whoever wrote them."""

from typing import Any

import pytest
from eth_abi.abi import encode

from chain.abi import events
from chain.errors import NodeMisbehaved
from chain.events import ChallengeIssued, StateUpdate, decode_log, decode_logs

TOKEN, SENDER, RECIPIENT = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20


def _topic(name: str) -> bytes:
    return next(event.topic for event in events().values() if event.name == name)


def _log(topics: list[bytes], data: bytes = b"", **place: Any) -> dict[str, Any]:
    return {
        "blockNumber": 7,
        "blockHash": b"\xaa" * 32,
        "transactionHash": b"\xbb" * 32,
        "logIndex": 0,
        "topics": topics,
        "data": data,
        **place,
    }


def _word(address: bytes) -> bytes:
    return bytes(12) + address


def test_a_dispute_names_the_recipient_before_the_sender() -> None:
    log = _log([_topic("ChallengeIssued"), _word(TOKEN), _word(RECIPIENT), _word(SENDER)])
    event = decode_log(log)
    assert isinstance(event, ChallengeIssued)
    assert (event.token, event.recipient, event.sender) == (TOKEN, RECIPIENT, SENDER)


def test_an_answer_publishes_the_leaf_and_its_whole_proof() -> None:
    proof = ([b"\x11" * 32, b"\x12" * 32], [b"\x13" * 32], [5, 2**256 - 1])
    pairs = ((10, 30), (4, 24), (6, 2**256 - 1))
    data = encode(
        [kind for _, kind in events()[_topic("StateUpdate")].unindexed],
        [9, *proof, pairs, b"\x14" * 32, b"\x15" * 32, b"\x16" * 32, b"\x17" * 32, 28],
    )
    topics = [_topic("StateUpdate"), _word(TOKEN), _word(SENDER), (3).to_bytes(32, "big")]
    event = decode_log(_log(topics, data))
    assert isinstance(event, StateUpdate)
    assert (event.token, event.account, event.eon, event.trail) == (TOKEN, SENDER, 3, 9)
    assert [event.allotment_chain, event.membership_chain, event.values] == [
        tuple(part) for part in proof
    ]
    assert event.pairs == pairs
    assert (event.active_state, event.passive_root) == (b"\x14" * 32, b"\x15" * 32)
    assert event.signature == b"\x16" * 32 + b"\x17" * 32 + b"\x1c"


def test_events_come_in_the_order_of_the_chain() -> None:
    topics = [_topic("ChallengeIssued"), _word(TOKEN), _word(RECIPIENT), _word(SENDER)]
    places = [(9, 1), (8, 5), (9, 0), (8, 2)]
    logs = [_log(topics, blockNumber=block, logIndex=index) for block, index in places]
    ordered = [(event.block_number, event.log_index) for event in decode_logs(logs)]
    assert ordered == sorted(places)


@pytest.mark.parametrize(
    "log",
    [
        _log([_topic("ChallengeIssued"), _word(TOKEN), _word(RECIPIENT)]),
        _log([_topic("Deposit"), _word(TOKEN), _word(SENDER)], b"\x01"),
        _log([_topic("Deposit"), _word(TOKEN), b"\xff" * 32], bytes(32)),
        _log([_topic("Deposit")], blockHash=None),
        _log([_topic("Deposit")], removed=True),
    ],
)
def test_a_log_that_does_not_fit_its_event_is_not_believed(log: dict[str, Any]) -> None:
    with pytest.raises(NodeMisbehaved):
        decode_log(log)
