"""Every wallet reads what the operator committed for it, and believes nothing unverified."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from simulation.patience import patiently
from simulation.play.cast import Player
from simulation.play.stage import Stage
from wallet.errors import Deception

AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class EverybodyReads:
    """All wallets synchronise and hold the eon's checkpoint against their own books."""

    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Read once the checkpoint is on chain; a wallet that finds a lie raises `Deception`."""
        eon = stage.eon
        await stage.wait_until_committed(eon)
        few = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._read(stage, player, eon, few) for player in stage.admitted))

    async def _read(self, stage: Stage, player: Player, eon: int, few: asyncio.Semaphore) -> None:
        async with few, player.lock:
            await player.synchronise()
            committed = player.wallet.book_of(eon)
            if committed is None or committed.opening is None:
                # Admitted in this eon: its first leaf is in the next checkpoint.
                if player.admitted_in < eon:
                    raise Deception(f"{player.name} has no proof of eon {eon}")
                return
            await patiently(
                f"{player.name} verifies eon {eon}", lambda: player.wallet.verify_on_chain(eon)
            )
        stage.tally.count("proofs verified against the contract")
