"""Logs of a range of blocks, in as many questions as the node insists on."""

from collections.abc import Mapping
from typing import Any

from web3.types import FilterParams

from chain.errors import NodeMisbehaved, NodeRefused, RangeTooLarge
from chain.events import ChainEvent, decode_logs
from chain.node import Node, as_checksummed, named_errors
from protocol.address import Address

MAX_RANGE_BLOCKS = 2_000

# Hosted nodes bound the blocks searched, the logs returned or the time spent, each in its words.
_LIMIT_CODES = (-32005, -32602, -32614)
_LIMIT_PHRASES = ("limit", "too many", "too large", "more than", "exceed", "range", "timed out")


def fetch_events(node: Node, contract: Address, first: int, last: int) -> list[ChainEvent]:
    """All events of the contract in blocks `first` to `last`, in chain order.

    The range is halved while the node finds it too large; a single block that is too large
    raises RangeTooLarge. At most MAX_RANGE_BLOCKS blocks.
    """
    if last - first + 1 > MAX_RANGE_BLOCKS:
        raise ValueError(f"at most {MAX_RANGE_BLOCKS} blocks at once")
    waiting = [(first, last)] if first <= last else []
    found: list[Mapping[str, Any]] = []
    while waiting:
        start, end = waiting.pop()
        try:
            found += _fetch(node, contract, start, end)
        except RangeTooLarge:
            if start == end:
                raise
            middle = (start + end) // 2
            waiting += [(middle + 1, end), (start, middle)]
    return decode_logs(found)


def _fetch(node: Node, contract: Address, first: int, last: int) -> list[Mapping[str, Any]]:
    wanted: FilterParams = {
        "address": as_checksummed(contract),
        "fromBlock": first,
        "toBlock": last,
    }
    try:
        with named_errors(node.label):
            logs: list[Mapping[str, Any]] = [dict(log) for log in node.w3.eth.get_logs(wanted)]
    except NodeRefused as error:
        said = error.reason.lower()
        if error.code in _LIMIT_CODES or any(phrase in said for phrase in _LIMIT_PHRASES):
            raise RangeTooLarge(error.code, error.reason) from None
        raise
    for log in logs:
        if str(log.get("address", "")).lower() != f"0x{contract.hex()}":
            raise NodeMisbehaved(f"{node.label} returned a log of another contract")
        number = log.get("blockNumber")
        if not isinstance(number, int) or not first <= number <= last:
            raise NodeMisbehaved(f"{node.label} returned a log outside the range asked for")
    return logs
