"""The contract's events as values, of both editions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chain.abi import events
from chain.errors import NodeMisbehaved
from protocol.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvent:
    """Where an event stands; (`block_hash`, `log_index`) is unique."""

    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(ChainEvent):
    """Money came in for `recipient`; amounts are in the token's smallest unit, 0 included."""

    token: Address
    recipient: Address
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRequest(ChainEvent):
    """`requestor` asked for `amount`."""

    token: Address
    requestor: Address
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalConfirmation(ChainEvent):
    """All payable requests of `requestor` were paid, `amount` in all."""

    token: Address
    requestor: Address
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeIssued(ChainEvent):
    """A dispute; for swaps `token` is the conduit and both parties are the trader."""

    token: Address
    recipient: Address
    sender: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSubmission(ChainEvent):
    """The root of `eon` is on chain."""

    eon: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StateUpdate(ChainEvent):
    """A state-update challenge was answered with this leaf and its proof against `eon`.

    `pairs` are (left, right), (spent, gained), (passive amount, passive marker); `signature` is
    the operator's over the state, r, s, v.
    """

    token: Address
    account: Address
    eon: int
    trail: int
    allotment_chain: tuple[bytes, ...]
    membership_chain: tuple[bytes, ...]
    values: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    active_state: bytes
    passive_root: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalSlashed(ChainEvent):
    """Requests of `requestor` were cancelled in `eon` (hardened edition only)."""

    token: Address
    requestor: Address
    eon: int
    previous_eon_amount: int
    current_eon_amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRegistered(ChainEvent):
    """A token got its trail (hardened edition only)."""

    token: Address
    trail: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeAnswered(ChainEvent):
    """A dispute was answered (hardened edition only)."""

    token: Address
    recipient: Address
    sender: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsRecovered(ChainEvent):
    """A halted contract paid a holder out (hardened edition only)."""

    token: Address
    holder: Address
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLog(ChainEvent):
    """A log that the interface does not describe, to be reported and otherwise skipped."""

    topic: bytes


_PLAIN: dict[str, type[ChainEvent]] = {
    kind.__name__: kind
    for kind in (
        Deposit,
        WithdrawalRequest,
        WithdrawalConfirmation,
        ChallengeIssued,
        WithdrawalSlashed,
        TokenRegistered,
        ChallengeAnswered,
        FundsRecovered,
    )
}
_RENAMED = {
    "previousEonAmount": "previous_eon_amount",
    "currentEonAmount": "current_eon_amount",
}


def decode_logs(logs: Iterable[Mapping[str, Any]]) -> list[ChainEvent]:
    """Decode the library's logs, in their order in the chain."""
    decoded = [decode_log(log) for log in logs]
    return sorted(decoded, key=lambda event: (event.block_number, event.log_index))


def decode_log(log: Mapping[str, Any]) -> ChainEvent:
    """Decode one log; raises NodeMisbehaved for a removed, pending or malformed one."""
    try:
        if log.get("removed"):
            raise NodeMisbehaved("a log that was removed by a reorganisation")
        place: dict[str, Any] = {
            "block_number": int(log["blockNumber"]),
            "block_hash": bytes(log["blockHash"]),
            "tx_hash": bytes(log["transactionHash"]),
            "log_index": int(log["logIndex"]),
        }
        topics = [bytes(topic) for topic in log["topics"]]
        data = bytes(log["data"])
    except (KeyError, TypeError, ValueError):
        raise NodeMisbehaved("a log without its place in the chain") from None
    topic = topics[0] if topics else b""
    known = events().get(topic)
    if known is None:
        return UnknownLog(**place, topic=topic)
    values = known.decode(topics, data)
    if known.name == "CheckpointSubmission":
        return CheckpointSubmission(**place, eon=values["eon"], root=values["merkleRoot"])
    if known.name == "StateUpdate":
        return _state_update(place, values)
    fields = {_RENAMED.get(name, name): value for name, value in values.items()}
    return _PLAIN[known.name](**place, **fields)


def _state_update(place: dict[str, Any], values: dict[str, Any]) -> StateUpdate:
    return StateUpdate(
        **place,
        token=values["token"],
        account=values["account"],
        eon=values["eon"],
        trail=values["trail"],
        allotment_chain=values["allotmentChain"],
        membership_chain=values["membershipChain"],
        values=values["values"],
        pairs=values["lrDeltasPassiveMark"],
        active_state=values["activeStateChecksum"],
        passive_root=values["passiveChecksum"],
        signature=values["r"] + values["s"] + bytes([values["v"]]),
    )
