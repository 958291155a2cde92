"""The eon clock: what a block number means and what it allows.

Blocks are the only clock. The contract's genesis block starts eon 1; an eon has a fixed number of
blocks N. A quarter of it is an epoch: challenges open only after the first one and are answered
within one. A third of it is the extended epoch after which withdrawals are paid. Every rule speaks
of the block that mines a transaction; a call against the newest block is judged one block earlier
than any transaction can be mined.
"""

from dataclasses import dataclass

from protocol.errors import ProtocolError

SHORTEST_EON_BLOCKS = 12
"""With fewer blocks the extended epoch need not exceed the epoch, and a withdrawal could be paid
before an unanswered challenge halts the contract."""

EONS_KEPT = 5
"""Checkpoints, accumulators and sums that the contract keeps per eon, by eon modulo this."""


class InvalidClock(ProtocolError):
    """A block lies before genesis, an eon before the first, or an eon is too short."""


@dataclass(frozen=True, slots=True)
class EonClock:
    """Genesis block and eon length of one commit-chain, both fixed by its contract."""

    genesis_block: int
    blocks_per_eon: int

    def __post_init__(self) -> None:
        if self.genesis_block < 0:
            raise InvalidClock("the genesis block has no negative number")
        if self.blocks_per_eon < SHORTEST_EON_BLOCKS:
            raise InvalidClock(f"an eon has at least {SHORTEST_EON_BLOCKS} blocks")

    @property
    def epoch_blocks(self) -> int:
        """Blocks of an epoch (slack period): a quarter of an eon, rounded down."""
        return self.blocks_per_eon // 4

    @property
    def extended_epoch_blocks(self) -> int:
        """Blocks of an extended epoch: a third of an eon, rounded down."""
        return self.blocks_per_eon // 3

    def eon_of(self, block: int) -> int:
        """Tell the eon of a block, from 1. Raises `InvalidClock` before genesis."""
        return self._since_genesis(block) // self.blocks_per_eon + 1

    def sub_block(self, block: int) -> int:
        """Tell a block's offset in its eon, 0 to N - 1; the contract calls it era."""
        return self._since_genesis(block) % self.blocks_per_eon

    def first_block(self, eon: int) -> int:
        """Tell the first block of an eon. Raises `InvalidClock` before eon 1."""
        if eon < 1:
            raise InvalidClock("the first eon is 1")
        return self.genesis_block + (eon - 1) * self.blocks_per_eon

    def last_block(self, eon: int) -> int:
        """Tell the last block of an eon."""
        return self.first_block(eon) + self.blocks_per_eon - 1

    def blocks_left(self, block: int) -> int:
        """Count the blocks of the same eon that follow `block`."""
        return self.last_block(self.eon_of(block)) - block

    def _since_genesis(self, block: int) -> int:
        if block < self.genesis_block:
            raise InvalidClock(f"block {block} lies before genesis")
        return block - self.genesis_block

    # Checkpoints

    def may_create_checkpoint(
        self, head: int, *, confirmations: int, earliest_sub_block: int
    ) -> bool:
        """Tell whether the ledger may create the checkpoint of the head's eon.

        The last block of the eon before must lie `confirmations` blocks deep, and the head have
        reached `earliest_sub_block` (twice the confirmations by default). Eon 1 has none before.
        """
        eon = self.eon_of(head)
        settled = eon == 1 or self.is_confirmed(self.last_block(eon - 1), head, confirmations)
        return settled and self.sub_block(head) >= earliest_sub_block

    def checkpoint_target_block(self, eon: int) -> int:
        """Tell the last block at which no challenge can be waiting for the eon's checkpoint."""
        return self.first_block(eon) + self.epoch_blocks

    def overclaim_submission_block(self, eon: int) -> int:
        """Tell from where an over-claimed checkpoint is sent after all: N - N div 10 into the eon.

        A missing checkpoint halts the chain for good, an over-claim can still be covered.
        """
        return self.first_block(eon) + self.blocks_per_eon - self.blocks_per_eon // 10

    def is_missed(self, block: int, *, last_submission_eon: int) -> bool:
        """Tell whether the contract halts at `block` for a missing checkpoint, for ever."""
        return self.eon_of(block) - last_submission_eon > 1

    def is_halted(
        self, block: int, *, last_submission_eon: int, live_challenges_of_last_eon: int
    ) -> bool:
        """Tell whether the contract is halted at `block`.

        Either a checkpoint is missed, or challenges opened in the eon before are unanswered when
        the first epoch has passed.
        """
        outstanding = live_challenges_of_last_eon > 0 and self.sub_block(block) > self.epoch_blocks
        return outstanding or self.is_missed(block, last_submission_eon=last_submission_eon)

    # Challenges

    def may_open_challenge(self, block: int) -> bool:
        """Tell whether a challenge about the eon before can be opened in `block`."""
        return self.eon_of(block) > 1 and self.sub_block(block) > self.epoch_blocks

    def last_answer_block(self, opened_in: int) -> int:
        """Tell the last block that can answer a challenge opened in block `opened_in`."""
        return opened_in + self.epoch_blocks - 1

    def may_answer_challenge(self, block: int, *, opened_in: int) -> bool:
        """Tell whether `block` can answer a challenge opened in block `opened_in`."""
        eons_later = self.eon_of(block) - self.eon_of(opened_in)
        in_eon = eons_later == 0 or (eons_later == 1 and self.sub_block(block) < self.epoch_blocks)
        return in_eon and opened_in <= block <= self.last_answer_block(opened_in)

    # Withdrawals

    def first_payable_block(self, request_eon: int) -> int:
        """Tell the first block that can pay a withdrawal requested in `request_eon`."""
        return self.first_block(request_eon + 2) + self.extended_epoch_blocks

    def is_payable(self, request_eon: int, block: int) -> bool:
        """Tell whether the calendar lets `block` pay a request of `request_eon`.

        Editions of the contract add conditions (see `protocol.editions`).
        """
        return block >= self.first_payable_block(request_eon)

    def last_slash_block(self, request_eon: int) -> int:
        """Tell the last block that can slash a request of `request_eon`."""
        return self.last_block(request_eon + 1)

    def withdrawal_proof_eon(self, block: int) -> int:
        """Tell which eon's checkpoint a request mined in `block` is proven against (0: none)."""
        return self.eon_of(block) - 1

    # Confirmed and head view

    @staticmethod
    def is_confirmed(block: int, head: int, confirmations: int) -> bool:
        """Tell whether `block` lies at least `confirmations` blocks below the head."""
        return block + confirmations <= head
