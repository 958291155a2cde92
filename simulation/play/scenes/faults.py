"""What breaks: processes, the node's chain, the mempool, the fees."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from simulation.play.stage import Stage

REPLACING_BLOCKS: Final = 1
"""A branch that replaces another is longer by so many blocks."""
OUTAGE_BLOCK_S: Final = 0.5
LONGEST_OUTAGE_S: Final = 300.0
UNSAVED_BLOCKS: Final = 2
NODE: Final = "node"
USUAL_BASE_FEE_WEI: Final = 10**9


@dataclass(frozen=True, slots=True)
class Kill:
    """A process of the operator is killed without warning, and comes back."""

    part: str
    holds: bool = False

    async def play(self, stage: Stage) -> None:
        """Kill it, whatever it is doing."""
        if self.part != NODE:
            await stage.hands.kill(self.part)
        else:
            await self._kill_node(stage)
        stage.tally.count(f"kills of {self.part}")

    async def _kill_node(self, stage: Stage) -> None:
        """Between two blocks; the blocks since it last saved its chain are lost with it."""
        async with stage.timeline.hand():
            await stage.timeline.until_scenes_rest()
            await stage.hands.save_node()
            for _ in range(UNSAVED_BLOCKS):
                await asyncio.to_thread(stage.node.mine)
            await stage.hands.kill(NODE)
            stage.watch.doubt()


@dataclass(frozen=True, slots=True)
class Reorganisation:
    """The newest blocks are replaced; what was in them is mined again a little later."""

    depth: int
    holds: bool = False

    async def play(self, stage: Stage) -> None:
        """Play `depth` blocks that will not last, then replace them by one more."""
        timeline, node = stage.timeline, stage.node
        async with timeline.hand():
            fork = timeline.block
            mark = await asyncio.to_thread(node.remember)
            for _ in range(self.depth):
                await timeline.step()
            await timeline.until_all_are_done()
            lost: list[str] = []
            for block in range(fork + 1, timeline.block + 1):
                lost += await asyncio.to_thread(node.raw_transactions, block)
            await asyncio.to_thread(node.go_back, mark)
            for _ in range(self.depth):
                await asyncio.to_thread(node.mine)
            for raw in lost:
                await asyncio.to_thread(node.send_again, raw)
            for _ in range(REPLACING_BLOCKS):
                await asyncio.to_thread(node.mine)
            stage.watch.doubt()
        stage.tally.count("reorganisations")
        stage.tally.count(f"reorganisations of {self.depth} blocks")


@dataclass(frozen=True, slots=True)
class Outage:
    """The operator's node cannot be spoken to, while the chain goes on for everybody else."""

    blocks: int
    holds: bool = False

    async def play(self, stage: Stage) -> None:
        """Cut the operator off for so many blocks, mined at a pace that nobody can slow down."""
        end = stage.timeline.block + self.blocks
        async with stage.timeline.fixed_pace(OUTAGE_BLOCK_S):
            stage.node_proxy.outage(seconds=LONGEST_OUTAGE_S)
            await stage.timeline.until(end, holds=False)
            stage.node_proxy.heal()
        stage.tally.count("node outages")
        stage.tally.count(f"node outages of {self.blocks} blocks")


@dataclass(frozen=True, slots=True)
class LostMempool:
    """Everything that waits for a block is forgotten by the node."""

    holds: bool = False

    async def play(self, stage: Stage) -> None:
        """Lose what waits between two blocks."""
        async with stage.timeline.hand():
            await stage.timeline.until_scenes_rest()
            await asyncio.to_thread(stage.node.lose_unmined)
        stage.tally.count("mempools lost")


@dataclass(frozen=True, slots=True)
class DearBlocks:
    """The base fee multiplies from one block to the next, and falls slowly."""

    factor: int
    holds: bool = False

    async def play(self, stage: Stage) -> None:
        """Raise the price of the next block."""
        async with stage.timeline.hand():
            await multiply_base_fee(stage, self.factor)
        stage.tally.count("base fees multiplied")


async def multiply_base_fee(stage: Stage, factor: int) -> None:
    """Make the next block dearer than what is usual: in a play's empty blocks the fee falls to 0.

    The caller has the timeline in its hand.
    """
    fee = await asyncio.to_thread(stage.node.base_fee)
    dear = factor * max(fee, USUAL_BASE_FEE_WEI)
    await asyncio.to_thread(stage.node.price_next_block, dear)
