"""What a scene may touch: the wallets, the time, the chain, and the parts that it may break."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from chain.gateway import ContractGateway
from protocol.address import Address
from protocol.clock import EonClock
from simulation.node_proxy import NodeProxy
from simulation.pace import NeverHappened
from simulation.play.cast import House, Player
from simulation.play.operator_watch import OperatorWatch
from simulation.play.parent_node import ParentNode
from simulation.play.tally import Tally
from simulation.play.timeline import Timeline
from wallet.wallet import Home


class Hands(Protocol):
    """What only the machine's owner can do to the operator's parts."""

    async def kill(self, part: str) -> None:
        """End a part as a power cut does. It comes back by itself; the node when this returns."""

    async def save_node(self) -> None:
        """Return when everything that the node has mined would survive its end."""


@dataclass(slots=True)
class Stage:
    """One play's world."""

    home: Home
    gateway: ContractGateway
    clock: EonClock
    timeline: Timeline
    node: ParentNode
    node_proxy: NodeProxy
    """What stands between the operator and the node; everybody else speaks to the node itself."""
    watch: OperatorWatch
    hands: Hands
    players: dict[str, Player]
    """All wallets by name, those of the houses too."""
    houses: dict[str, House]
    tally: Tally
    confirmations: int

    @property
    def eon(self) -> int:
        """The eon of the newest block."""
        return self.clock.eon_of(self.timeline.block)

    @property
    def admitted(self) -> list[Player]:
        """Whoever has a wallet by now."""
        return [player for player in self.players.values() if player.wallet.registration]

    def player_at(self, token: Address, address: Address) -> Player:
        """Whose wallet that is. Raises `LookupError`."""
        for player in self.players.values():
            if (player.token, player.address) == (token, address):
                return player
        raise LookupError(f"nobody plays 0x{address.hex()}")

    async def wait_for(
        self, what: str, condition: Callable[[], Awaitable[bool]], *, last_block: int
    ) -> None:
        """Look once a block; raises `NeverHappened` when `last_block` is over without it."""
        while not await condition():
            if self.timeline.block > last_block:
                raise NeverHappened(f"{what}: not by block {last_block}")
            await self.timeline.until(self.timeline.block + 1)

    async def wait_until_committed(self, eon: int) -> None:
        """Wait for the eon's root on chain, while the eon lasts."""

        async def committed() -> bool:
            root = await asyncio.to_thread(self.home.parent_chain.checkpoint_root, eon)
            return root is not None

        last = self.clock.last_block(eon)
        await self.wait_for(f"the checkpoint of eon {eon}", committed, last_block=last)


class Scene(Protocol):
    """Something that happens in a play."""

    @property
    def holds(self) -> bool:
        """Whether the next block waits for the scene while it works; faults do not hold it."""

    async def play(self, stage: Stage) -> None:
        """Happen. Raises whatever shows that something is wrong."""


Tell = Callable[[str], None]
