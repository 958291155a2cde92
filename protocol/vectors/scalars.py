"""Families of single values: encodings, hashes, conduits, the accumulator, zero subtrees."""

import re

from protocol.accumulator import Operation, accumulate, accumulator_slot
from protocol.address import parse_address
from protocol.conduits import conduit
from protocol.encoding import signed, unsigned
from protocol.keccak import keccak256
from protocol.trees.plain import ZERO_SUBTREES
from protocol.vectors.comparison import Computed
from protocol.vectors.inputs import Inputs, InvalidVector, hexadecimal

_INTEGER_FUNCTION = re.compile(r"(u?)int([1-9][0-9]*)")

_OPERATIONS = {
    "DEPOSIT": Operation.DEPOSIT,
    "WITHDRAWAL": Operation.WITHDRAWAL_REQUEST,
    "CANCELLATION": Operation.WITHDRAWAL_CANCELLATION,
}


def encoding(inputs: Inputs) -> Computed:
    """An integer or address in its fixed width; short addresses are padded on the left."""
    function, value = inputs.text("function"), inputs.text("value")
    if function == "address":
        digits = value.removeprefix("0x")
        return {"hex": hexadecimal(parse_address(digits.rjust(40, "0")))}
    match = _INTEGER_FUNCTION.fullmatch(function)
    if match is None or int(match[2]) % 8:
        raise InvalidVector(f"inputs.function: unknown function {function!r}")
    encode = unsigned if match[1] else signed
    return {"hex": hexadecimal(encode(int(value), int(match[2])))}


def hash_array(inputs: Inputs) -> Computed:
    """The hash of byte strings joined without separators."""
    parts = [bytes.fromhex(part.removeprefix("0x")) for part in inputs.texts("parts")]
    return {"keccak256": hexadecimal(keccak256(b"".join(parts)))}


def swap_conduit(inputs: Inputs) -> Computed:
    """The pseudo-token of an ordered pair."""
    return {"conduit": conduit(inputs.address("sell_token"), inputs.address("buy_token")).hex()}


def zero_subtree(inputs: Inputs) -> Computed:
    """The root of a subtree without leaves."""
    height = inputs.integer("height")
    if not 0 <= height < len(ZERO_SUBTREES):
        raise InvalidVector("inputs.height: no tree is that high")
    return {"root": hexadecimal(ZERO_SUBTREES[height])}


def accumulator(inputs: Inputs) -> Computed:
    """The accumulator after one more operation."""
    operation = inputs.text("operation")
    if operation not in _OPERATIONS:
        raise InvalidVector(f"inputs.operation: unknown operation {operation!r}")
    eon, code = inputs.integer("eon"), _OPERATIONS[operation]
    inputs.agree("operation_code", inputs.integer("operation_code"), int(code))
    inputs.agree("slot", inputs.integer("slot"), accumulator_slot(eon))
    value = accumulate(
        inputs.digest("previous"),
        eon=eon,
        token=inputs.address("token"),
        participant=inputs.address("participant"),
        operation=code,
        value=inputs.amount("value"),
    )
    return {"accumulator": hexadecimal(value)}
