"""The parent-chain accumulator: the contract's running hash over an eon's operations.

A checkpoint names the value at the end of the eon before as its basis. Values live in a ring of
five slots, eon modulo 5, that is never reset: eon 6 continues from where eon 1 ended.
"""

from enum import IntEnum

from protocol.address import Address, InvalidAddress
from protocol.encoding import u8, u256
from protocol.errors import ProtocolError
from protocol.keccak import keccak256

ACCUMULATOR_SLOTS = 5


class Operation(IntEnum):
    """What happened on chain. Confirmed withdrawals and recoveries do not enter the hash."""

    DEPOSIT = 0
    WITHDRAWAL_REQUEST = 1
    WITHDRAWAL_CANCELLATION = 2


def accumulate(
    previous: bytes,
    *,
    eon: int,
    token: Address,
    participant: Address,
    operation: Operation,
    value: int,
) -> bytes:
    """Append one operation to the accumulator of `eon` and return its new 32 bytes.

    `value` is in base units. Addresses enter raw, not hashed. A cancellation of the last eon's
    requests is appended to that eon's accumulator although it has ended.
    """
    if len(previous) != 32:
        raise ProtocolError("an accumulator has 32 bytes")
    if len(token) != 20 or len(participant) != 20:
        raise InvalidAddress("an address has 20 bytes")
    return keccak256(previous + u256(eon) + token + participant + u8(operation) + u256(value))


def accumulator_slot(eon: int) -> int:
    """Tell which of the five slots holds the accumulator of `eon`."""
    return eon % ACCUMULATOR_SLOTS
