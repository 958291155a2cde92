"""What will happen in a play, drawn from its seed before it begins."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from protocol.clock import EonClock
from simulation.play.scenes.faults import DearBlocks, Kill, LostMempool, Outage, Reorganisation
from simulation.play.scenes.money import Admission, Deposit, Payment, Withdrawal
from simulation.play.scenes.reading import EverybodyReads
from simulation.play.stage import Scene

ETHER: Final = 10**18
NONCE_BITS: Final = 53
FIRST_EON_OF_WITHDRAWALS: Final = 3
EONS_UNTIL_PAID: Final = 2
TURN_BLOCKS: Final = 2
"""What is sent in an eon's last blocks is mined in the next, where its proof is void."""
CALM_BLOCKS: Final = 16
"""At the end of the last eon nothing begins any more, so that everything can end."""
SHORT_OUTAGE_BLOCKS: Final = 5
KILLED: Final = ("postgres", "temporal", "node", "api-1", "worker")


@dataclass(frozen=True, slots=True)
class Cue:
    """A scene and the block from which it may begin."""

    block: int
    scene: Scene


@dataclass(frozen=True, slots=True)
class Cast:
    """Names: wallets that are there from the first eon, and wallets that come later (by eon)."""

    honest: tuple[str, ...]
    newcomers: tuple[tuple[int, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody."""
        return (*self.honest, *(name for _, name in self.newcomers))


def cast_of(wallets: int, eons: int) -> Cast:
    """So many wallets from the beginning, and a newcomer every third eon."""
    honest = tuple(f"honest-{number}" for number in range(1, wallets + 1))
    newcomers = tuple((eon, f"newcomer-{eon}") for eon in range(2, eons, 3))
    return Cast(honest, newcomers)


class Script:
    """Draws the cues of `eons` eons; the same seed draws the same."""

    def __init__(self, seed: int, clock: EonClock, eons: int, cast: Cast) -> None:
        self._dice = random.Random(seed)
        self._clock, self._eons, self._cast = clock, eons, cast

    def cues(self) -> list[Cue]:
        """All cues in the order of their blocks."""
        drawn = [
            *self._admissions(),
            *self._money(),
            *self._faults(),
        ]
        drawn += [
            self._at(eon, self._clock.epoch_blocks + 1, EverybodyReads())
            for eon in range(1, self._eons + 1)
        ]
        return sorted(drawn, key=lambda cue: cue.block)

    def _at(self, eon: int, era: int, scene: Scene) -> Cue:
        return Cue(self._clock.first_block(eon) + era, scene)

    def _somewhen(self, eon: int, scene: Scene, *, earliest: int = 0) -> Cue:
        """At a random block of an eon, its last ones and the calm end of the play aside."""
        calm = CALM_BLOCKS if eon == self._eons else TURN_BLOCKS
        last = self._clock.blocks_per_eon - 1 - calm
        return self._at(eon, self._dice.randint(earliest, last), scene)

    def _nonce(self) -> int:
        return self._dice.getrandbits(NONCE_BITS)

    def _some_honest(self, count: int) -> list[str]:
        return self._dice.sample(self._cast.honest, min(count, len(self._cast.honest)))

    def _admissions(self) -> Iterator[Cue]:
        for name in self._cast.honest:
            yield self._at(1, 0, Admission(name, self._dice.randint(1, 10) * ETHER))
        for eon, name in self._cast.newcomers:
            yield self._somewhen(eon, Admission(name, self._dice.choice((0, ETHER))))

    def _money(self) -> Iterator[Cue]:
        for eon in range(1, self._eons + 1):
            for payer in self._cast.honest:
                for _ in range(self._dice.randint(1, 3)):
                    payee = self._dice.choice([n for n in self._cast.honest if n != payer])
                    share = self._dice.randint(1, 200)
                    # Nobody has money before the first deposits are confirmed.
                    earliest = self._clock.epoch_blocks * 2 if eon == 1 else 0
                    scene = Payment(payer, payee, share, self._nonce())
                    yield self._somewhen(eon, scene, earliest=earliest)
            for name in self._some_honest(2):
                yield self._somewhen(eon, Deposit(name, self._dice.randint(1, 10**18)))
            if FIRST_EON_OF_WITHDRAWALS <= eon <= self._eons - EONS_UNTIL_PAID:
                for name in self._some_honest(2):
                    yield self._somewhen(
                        eon, Withdrawal(name, self._dice.randint(50, 500)), earliest=10
                    )

    def _faults(self) -> Iterator[Cue]:
        """Every fault at least once, spread over the eons between the first and the last."""
        kinds: list[Scene] = [Kill(part) for part in KILLED]
        kinds += [Reorganisation(depth) for depth in (1, 2, 3)]
        kinds += [Outage(self._clock.blocks_per_eon // 2), Outage(SHORT_OUTAGE_BLOCKS)]
        kinds += [LostMempool(), DearBlocks(20)]
        self._dice.shuffle(kinds)
        eons = range(2, self._eons)
        for number in range(max(len(kinds), len(eons))):
            eon = eons[number % len(eons)]
            yield self._somewhen(eon, kinds[number % len(kinds)])
