"""The commit-chain contract's interface: functions and events, encoded and decoded.

One interface serves both editions: the hardened edition adds `EDITION()` and four events to the
published one and changes nothing else. Addresses are 20 bytes on our side of this module.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple

from chain.errors import ContractMissing, NodeMisbehaved
from protocol.keccak import keccak256

_PUBLISHED_ABI = files("contracts") / "published-abi.json"


def _event(name: str, *inputs: tuple[str, str, bool]) -> dict[str, Any]:
    described = [{"name": n, "type": t, "indexed": indexed} for n, t, indexed in inputs]
    return {"type": "event", "name": name, "inputs": described, "anonymous": False}


HARDENED_ADDITIONS: tuple[dict[str, Any], ...] = (
    {
        "type": "function",
        "name": "EDITION",
        "inputs": [],
        "outputs": [{"name": "", "type": "string"}],
        "stateMutability": "pure",
    },
    _event(
        "WithdrawalSlashed",
        ("token", "address", True),
        ("requestor", "address", True),
        ("eon", "uint256", False),
        ("previousEonAmount", "uint256", False),
        ("currentEonAmount", "uint256", False),
    ),
    _event("TokenRegistered", ("token", "address", True), ("trail", "uint64", True)),
    _event(
        "ChallengeAnswered",
        ("token", "address", True),
        ("recipient", "address", True),
        ("sender", "address", True),
    ),
    _event(
        "FundsRecovered",
        ("token", "address", True),
        ("holder", "address", True),
        ("amount", "uint256", False),
    ),
)


def _bytes_addresses(kind: str, value: Any) -> Any:
    if kind == "address":
        return bytes.fromhex(value[2:])
    return value


def _decode(kinds: Sequence[str], data: bytes) -> tuple[Any, ...]:
    values = decode(list(kinds), data)
    return tuple(_bytes_addresses(k, v) for k, v in zip(kinds, values, strict=True))


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the contract: its name, selector (4 bytes) and canonical types."""

    name: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def encode(self, *arguments: Any) -> bytes:
        """Call data: selector and ABI-encoded arguments."""
        return self.selector + encode(self.inputs, arguments)

    def decode(self, returned: bytes) -> tuple[Any, ...]:
        """The returned values; raises ContractMissing for no data (no such code answers)."""
        if not returned:
            raise ContractMissing(f"{self.name}() answered nothing: no commit-chain lives there")
        try:
            return _decode(self.outputs, returned)
        except (DecodingError, OverflowError):
            raise NodeMisbehaved(f"{self.name}() answered with malformed data") from None

    def arguments(self, calldata: bytes) -> tuple[Any, ...]:
        """The arguments of call data that `encode` made."""
        return _decode(self.inputs, calldata[4:])


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the contract: name, topic 0 and its parameters as (name, type)."""

    name: str
    topic: bytes
    indexed: tuple[tuple[str, str], ...]
    unindexed: tuple[tuple[str, str], ...]

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Parameter values by ABI name; raises NodeMisbehaved when the log does not fit."""
        if len(topics) != 1 + len(self.indexed):
            raise NodeMisbehaved(f"a {self.name} log with {len(topics)} topics")
        try:
            values = {
                name: _decode([kind], topic)[0]
                for (name, kind), topic in zip(self.indexed, topics[1:], strict=True)
            }
            plain = _decode([kind for _, kind in self.unindexed], data)
        except (DecodingError, OverflowError):
            raise NodeMisbehaved(f"a {self.name} log with malformed data") from None
        values.update((name, v) for (name, _), v in zip(self.unindexed, plain, strict=True))
        return values


@cache
def contract_abi() -> tuple[dict[str, Any], ...]:
    """The interface of the hardened edition, of which the published one is a part."""
    return (*json.loads(_PUBLISHED_ABI.read_text()), *HARDENED_ADDITIONS)


def _kinds(parameters: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(collapse_if_tuple(p) for p in parameters)


@cache
def functions() -> dict[str, Function]:
    """Every function by name; the interface has no overloads."""
    found = {}
    for item in contract_abi():
        if item["type"] == "function":
            inputs = _kinds(item["inputs"])
            selector = keccak256(f"{item['name']}({','.join(inputs)})".encode())[:4]
            found[item["name"]] = Function(item["name"], selector, inputs, _kinds(item["outputs"]))
    return found


@cache
def events() -> dict[bytes, Event]:
    """Every event by topic 0."""
    found = {}
    for item in contract_abi():
        if item["type"] == "event":
            kinds = _kinds(item["inputs"])
            topic = keccak256(f"{item['name']}({','.join(kinds)})".encode())
            named = [
                (p["name"], k, p["indexed"]) for p, k in zip(item["inputs"], kinds, strict=True)
            ]
            found[topic] = Event(
                item["name"],
                topic,
                tuple((n, k) for n, k, indexed in named if indexed),
                tuple((n, k) for n, k, indexed in named if not indexed),
            )
    return found
