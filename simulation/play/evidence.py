"""What the contract itself says of a play: every event of the chain as it stands in the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from chain.abi import functions
from chain.events import (
    ChainEvent,
    ChallengeAnswered,
    ChallengeIssued,
    CheckpointSubmission,
    Deposit,
    WithdrawalConfirmation,
    WithdrawalRequest,
    WithdrawalSlashed,
)
from chain.gateway import ContractGateway
from chain.headers import read_range
from chain.node import MAX_BATCH
from protocol.address import Address
from protocol.clock import EonClock
from simulation.play.parent_node import ParentNode

STATE_UPDATE: Final = "state update"
ACTIVE_DELIVERY: Final = "active-form delivery"
PASSIVE_DELIVERY: Final = "passive-form delivery"
SWAP: Final = "swap"

Pair = tuple[Address, Address]
"""A token and a holder."""

KINDS: Final = {
    "challengeStateUpdateWithProofOfExclusiveBalanceAllotment": STATE_UPDATE,
    "challengeStateUpdateWithProofOfActiveStateUpdateAgreement": STATE_UPDATE,
    "challengeTransferDeliveryWithProofOfActiveStateUpdateAgreement": ACTIVE_DELIVERY,
    "challengeTransferDeliveryWithProofOfPassiveStateUpdate": PASSIVE_DELIVERY,
    "challengeSwapEnactmentWithProofOfActiveStateUpdateAgreement": SWAP,
}
"""What a challenge is about, by the contract's function that opened it."""

E = TypeVar("E", bound=ChainEvent)


@dataclass(frozen=True, slots=True)
class Dispute:
    """One challenge: who, when, and the block of its answer, None if there is none."""

    token: Address
    recipient: Address
    sender: Address
    opened: int
    answered: int | None
    kind: str


@dataclass(slots=True)
class Evidence:
    """The events of a chain up to its head, sorted by what they are about."""

    clock: EonClock
    head: int
    events: list[ChainEvent] = field(default_factory=list)
    openings: dict[bytes, str] = field(default_factory=dict)
    """The kind of challenge that a transaction opened."""

    def of(self, kind: type[E]) -> list[E]:
        """All events of one kind, in the chain's order."""
        return [event for event in self.events if isinstance(event, kind)]

    def checkpoints(self) -> dict[int, int]:
        """The block of each eon's checkpoint."""
        return {event.eon: event.block_number for event in self.of(CheckpointSubmission)}

    def disputes(self) -> list[Dispute]:
        """Every challenge with its answer: the first one after it about the same entry."""
        answers: dict[tuple[Address, Address, Address], list[int]] = defaultdict(list)
        for answer in self.of(ChallengeAnswered):
            about = (answer.token, answer.recipient, answer.sender)
            answers[about].append(answer.block_number)
        found = []
        for issue in self.of(ChallengeIssued):
            about = (issue.token, issue.recipient, issue.sender)
            later = [block for block in answers[about] if block >= issue.block_number]
            answered = later[0] if later else None
            kind = self.openings[issue.tx_hash]
            found.append(Dispute(*about, issue.block_number, answered, kind))
        return found

    def sums(
        self, kind: type[Deposit | WithdrawalRequest | WithdrawalConfirmation]
    ) -> Counter[Address]:
        """The amounts of one kind of event, by token."""
        total: Counter[Address] = Counter()
        for event in self.of(kind):
            total[event.token] += event.amount
        return total

    def requested(self, *, up_to_eon: int) -> Counter[Pair]:
        """What was asked for in eons up to one, slashed requests included, by token and holder."""
        return _by_holder(
            event
            for event in self.of(WithdrawalRequest)
            if self.clock.eon_of(event.block_number) <= up_to_eon
        )

    def paid(self) -> Counter[Pair]:
        """What was paid, by token and holder."""
        return _by_holder(self.of(WithdrawalConfirmation))

    def slashed(self) -> Counter[Pair]:
        """What was cancelled, by token and holder."""
        total: Counter[Pair] = Counter()
        for event in self.of(WithdrawalSlashed):
            amount = event.previous_eon_amount + event.current_eon_amount
            total[event.token, event.requestor] += amount
        return total

    def checkpoint_margins(self) -> list[int]:
        """Blocks left in the eon when its checkpoint was mined."""
        return [self.clock.last_block(eon) - block for eon, block in self.checkpoints().items()]

    def answer_margins(self) -> list[int]:
        """Blocks left in a challenge's window when it was answered."""
        return [
            self.clock.last_answer_block(dispute.opened) - dispute.answered
            for dispute in self.disputes()
            if dispute.answered is not None
        ]

    def slash_margins(self) -> list[int]:
        """Blocks left in which the oldest request of a slash could have been cancelled."""
        return [
            self.clock.last_slash_block(event.eon - (event.previous_eon_amount > 0))
            - event.block_number
            for event in self.of(WithdrawalSlashed)
        ]


def _by_holder(events: Iterable[WithdrawalRequest | WithdrawalConfirmation]) -> Counter[Pair]:
    total: Counter[Pair] = Counter()
    for event in events:
        total[event.token, event.requestor] += event.amount
    return total


def gather_evidence(gateway: ContractGateway, node: ParentNode) -> Evidence:
    """Read every event from the chain's beginning to its head. Raises the errors of the node."""
    clock, head = gateway.clock(), gateway.node.head().number
    evidence = Evidence(clock, head)
    for first in range(clock.genesis_block, head + 1, MAX_BATCH):
        last = min(first + MAX_BATCH - 1, head)
        evidence.events += read_range(gateway.node, gateway.contract, first, last).events
    selectors = {functions()[name].selector: kind for name, kind in KINDS.items()}
    for issue in evidence.of(ChallengeIssued):
        evidence.openings[issue.tx_hash] = selectors[node.call_data(issue.tx_hash)[:4]]
    return evidence
