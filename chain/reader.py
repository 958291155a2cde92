"""Asking the contract by ABI name, and simulating calls."""

from dataclasses import dataclass
from typing import Any

from chain.abi import functions
from chain.blocks import BlockHeader
from chain.calls import Call
from chain.errors import CallReverted, HeadMoved
from chain.node import Node, Reading
from protocol.address import Address

# Blocks are seconds apart and a reading takes milliseconds: losing three times means a sick node.
SNAPSHOT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a call would do on the head's state; without a revert `returned` are its values."""

    returned: tuple[Any, ...]
    revert: CallReverted | None


class ContractReader:
    """The getters of one contract by their ABI names."""

    def __init__(self, node: Node, contract: Address) -> None:
        self.node = node
        self.contract = contract

    def ask(self, function: str, *arguments: Any) -> tuple[Any, ...]:
        """The values of one getter at the head."""
        asked = functions()[function]
        reading = Reading(self.contract, asked.encode(*arguments), function)
        return asked.decode(self.node.call(reading))

    def ask_together(
        self, *questions: tuple[Any, ...]
    ) -> tuple[BlockHeader, list[tuple[Any, ...]]]:
        """Several getters of one and the same head: each question is ABI name, then arguments.

        Raises HeadMoved when blocks keep coming in between.
        """
        asked = [functions()[name] for name, *_ in questions]
        readings = [
            Reading(self.contract, function.encode(*arguments), function.name)
            for function, (_, *arguments) in zip(asked, questions, strict=True)
        ]
        for _ in range(SNAPSHOT_ATTEMPTS - 1):
            try:
                reading = self.node.read_at_head(readings)
                break
            except HeadMoved:
                continue
        else:
            reading = self.node.read_at_head(readings)
        answers = [
            function.decode(result) for function, result in zip(asked, reading.results, strict=True)
        ]
        return reading.head, answers

    def simulate(self, call: Call, sender: Address) -> Simulation:
        """What the call would do on the head's state; a revert is a result, not an error.

        The head is one block before the earliest block that can mine the call: a payment that
        becomes possible in the next block still simulates as 0.
        """
        reading = Reading(call.to, call.data, call.function)
        try:
            returned = self.node.call(reading, sender=sender, value=call.value)
        except CallReverted as revert:
            return Simulation((), revert)
        function = functions()[call.function]
        return Simulation(function.decode(returned) if function.outputs else (), None)
