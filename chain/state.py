"""What the contract says at the head, as values."""

from dataclasses import dataclass
from enum import IntEnum

from chain.blocks import BlockHeader


@dataclass(frozen=True, slots=True)
class SubmissionFacts:
    """Everything that `submitCheckpoint` of `eon` will be judged by, of one head.

    `basis` is the accumulator of the eon before; `live_challenges` were opened in that eon and
    are unanswered; `own_live_challenges` were opened in `eon` itself.
    """

    head: BlockHeader
    eon: int
    era: int
    basis: bytes
    accumulator: bytes
    last_submission_eon: int
    last_root: bytes
    live_challenges: int
    own_live_challenges: int
    has_missed_submission: bool
    has_outstanding_challenges: bool

    @property
    def is_halted(self) -> bool:
        """Whether the contract refuses deposits, requests, payments and checkpoints."""
        return self.has_missed_submission or self.has_outstanding_challenges

    @property
    def is_submitted(self) -> bool:
        """Whether the checkpoint of this eon is on chain."""
        return self.last_submission_eon == self.eon


@dataclass(frozen=True, slots=True)
class SlotAmount:
    """One slot of a ring: an amount and the eon that it belongs to."""

    eon: int
    amount: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint slot: zero root if only challenges have been opened in that eon."""

    eon: int
    root: bytes
    live_challenges: int


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """An unpaid withdrawal request as the contract lists it."""

    eon: int
    amount: int


@dataclass(frozen=True, slots=True)
class HolderState:
    """One holder of one token at the head.

    `pending` is oldest first; `deposits` are those of the current, the previous and the second
    previous eon; `parent_balance` is what the holder owns outside the commit-chain.
    """

    head: BlockHeader
    pending: tuple[PendingRequest, ...]
    deposits: tuple[int, int, int]
    parent_balance: int


class ChallengeKind(IntEnum):
    """The contract's numbers for what a challenge is about."""

    NONE = 0
    STATE_UPDATE = 1
    TRANSFER_DELIVERY = 2
    SWAP_ENACTMENT = 3


@dataclass(frozen=True, slots=True)
class ChallengeRecord:
    """An entry of the challenge book; an answered one keeps only `initial_state_eon`."""

    kind: ChallengeKind
    block: int
    initial_state_eon: int
    initial_state_balance: int
    delta_highest_spendings: int
    delta_highest_gains: int
    final_state_balance: int
    delivered_tx_nonce: int
    trail: int

    @property
    def is_open(self) -> bool:
        """Whether an answer is owed."""
        return self.kind is not ChallengeKind.NONE
