"""Brings a play on the stage: starts every scene at its block, tells each eon, asks the verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from chain.errors import ChainError
from simulation.pace import NeverHappened
from simulation.play.parent_node import NodeRefused
from simulation.play.script import Cue
from simulation.play.stage import Stage, Tell
from wallet.errors import WalletError

FAILURES: Final = (WalletError, ChainError, NodeRefused, NeverHappened, LookupError, OSError)
"""What a scene may end with that is a finding; anything else ends the play."""
FAULTS: Final = ("kills of", "reorganisations of", "mempools", "base fees", "node outages of")
TOLD: Final = (
    ("payments acknowledged", "payments"),
    ("deposits credited", "deposits"),
    ("withdrawals requested", "withdrawals"),
    ("challenges opened", "challenges"),
    ("challenges answered", "answers"),
    ("dishonest withdrawals requested", "cheats"),
    ("dishonest withdrawals cancelled", "slashes"),
)


class Director:
    """Plays cues on a stage. A scene that fails is written down; the others go on."""

    def __init__(self, stage: Stage, cues: Sequence[Cue], tell: Tell) -> None:
        self._stage, self._cues, self._tell = stage, cues, tell
        self._told: Counter[str] = Counter()
        self._began = time.monotonic()

    async def play(self, last_eon: int) -> None:
        """Play everything; returns when the last block of `last_eon` is done with."""
        timeline, clock = self._stage.timeline, self._stage.clock
        for cue in self._cues:
            timeline.begin(self._perform(cue), holds=cue.scene.holds)
        try:
            for eon in range(self._stage.eon, last_eon + 1):
                await timeline.run(clock.last_block(eon))
                self._tell_eon(eon)
        finally:
            await timeline.stop()

    async def _perform(self, cue: Cue) -> None:
        scene = cue.scene
        await self._stage.timeline.until(cue.block, holds=scene.holds)
        try:
            await scene.play(self._stage)
        except FAILURES as fault:
            words = f"block {self._stage.timeline.block}: {scene}: {fault!r}"
            self._stage.tally.faults.append(words)
            self._tell(f"[red]{words}[/red]")

    def _tell_eon(self, eon: int) -> None:
        counts = self._stage.tally.counts
        new = Counter(counts)
        new.subtract(self._told)
        self._told = Counter(counts)
        took, self._began = time.monotonic() - self._began, time.monotonic()
        told = [f"{new[name]} {word}" for name, word in TOLD]
        told += [
            f"{name} {count}"
            for name, count in sorted(new.items())
            if count > 0 and name.startswith(FAULTS)
        ]
        self._tell(f"eon {eon:3} {took:6.1f} s  {', '.join(told)}")
