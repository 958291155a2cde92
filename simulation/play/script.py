"""What will happen in a play, drawn from its seed before it begins."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from protocol.clock import EonClock
from simulation.play.cast import Cast, owners_name
from simulation.play.scenes.dishonesty import OldProofWithdrawal
from simulation.play.scenes.disputes import DeliveryChallenge, StateUpdateChallenge, SwapChallenge
from simulation.play.scenes.faults import DearBlocks, Kill, LostMempool, Outage, Reorganisation
from simulation.play.scenes.money import Admission, Deposit, Payment, Withdrawal
from simulation.play.scenes.reading import EverybodyReads
from simulation.play.scenes.trading import ComingHome, Opening, Trading
from simulation.play.stage import Scene

ETHER: Final = 10**18
NONCE_BITS: Final = 53
FIRST_EON_OF_CHALLENGES: Final = 2
KINDS_OF_CHALLENGES: Final = 4
FIRST_EON_OF_WITHDRAWALS: Final = 3
EONS_UNTIL_PAID: Final = 2
TURN_BLOCKS: Final = 2
"""What is sent in an eon's last blocks is mined in the next, where its proof is void."""
CALM_BLOCKS: Final = 16
"""At the end of the last eon nothing begins any more, so that everything can end."""
SHORT_OUTAGE_BLOCKS: Final = 5
LATEST_LONG_OUTAGE: Final = 20
"""A long outage begins by this block of its eon and is over before the eon is."""
SYMBOLS: Final = ("ETH", "LQD")
STEPS_OF_A_HOUSE: Final = 4
COMING_HOME: Final = (16, 22, 28)
"""Blocks of the last eon at which houses end their orders."""
KILLED: Final = ("postgres", "temporal", "node", "api-1", "worker")


@dataclass(frozen=True, slots=True)
class Cue:
    """A scene and the block from which it may begin."""

    block: int
    scene: Scene


class Script:
    """Draws the cues of `eons` eons; the same seed draws the same."""

    def __init__(self, seed: int, clock: EonClock, eons: int, cast: Cast) -> None:
        self._dice = random.Random(seed)
        self._clock, self._eons, self._cast = clock, eons, cast
        # In that eon nothing is owed that half an eon of silence would make impossible.
        self._outage_eon = self._dice.randrange(FIRST_EON_OF_WITHDRAWALS, eons)

    def cues(self) -> list[Cue]:
        """All cues in the order of their blocks."""
        drawn = [
            *self._admissions(),
            *self._money(),
            *self._trading(),
            *self._cheating(),
            *self._challenges(),
            *self._faults(),
        ]
        drawn += [
            Cue(self._block(eon, self._clock.epoch_blocks + 1), EverybodyReads())
            for eon in range(1, self._eons + 1)
        ]
        return sorted(drawn, key=lambda cue: cue.block)

    def _block(self, eon: int, era: int) -> int:
        return self._clock.first_block(eon) + era

    def _somewhen(self, eon: int, *, earliest: int = 0, latest: int | None = None) -> int:
        """A random block of an eon, its last ones and the calm end of the play aside."""
        calm = CALM_BLOCKS if eon == self._eons else TURN_BLOCKS
        last = self._clock.blocks_per_eon - 1 - calm
        last = last if latest is None else min(last, latest)
        return self._block(eon, self._dice.randint(earliest, last))

    def _nonce(self) -> int:
        return self._dice.getrandbits(NONCE_BITS)

    def _some_honest(self, count: int) -> list[str]:
        return self._dice.sample(self._cast.honest, min(count, len(self._cast.honest)))

    def _admissions(self) -> Iterator[Cue]:
        for name in (*self._cast.honest, *self._cast.cheats):
            yield Cue(self._block(1, 0), Admission(name, self._dice.randint(1, 10) * ETHER))
        for eon, name in self._cast.newcomers:
            yield Cue(self._somewhen(eon), Admission(name, self._dice.choice((0, ETHER))))

    def _money(self) -> Iterator[Cue]:
        for eon in range(1, self._eons + 1):
            # Nobody has money before the first deposits are confirmed.
            earliest = self._clock.epoch_blocks * 2 if eon == 1 else 0
            for payer in self._cast.honest:
                for _ in range(self._dice.randint(1, 3)):
                    payee = self._dice.choice([n for n in self._cast.honest if n != payer])
                    scene = Payment(payer, payee, self._dice.randint(1, 200), self._nonce())
                    yield Cue(self._somewhen(eon, earliest=earliest), scene)
            for name in self._some_honest(2):
                yield Cue(self._somewhen(eon), Deposit(name, self._dice.randint(1, ETHER)))
            if FIRST_EON_OF_WITHDRAWALS <= eon <= self._eons - EONS_UNTIL_PAID:
                for name in self._some_honest(2):
                    share = self._dice.randint(50, 500)
                    yield Cue(self._somewhen(eon, earliest=10), Withdrawal(name, share))

    def _trading(self) -> Iterator[Cue]:
        """Houses trade when the eon's checkpoint is there, and come home in the last eon."""
        last = self._eons
        for house in self._cast.houses:
            money = tuple((symbol, self._dice.randint(1, 10) * ETHER) for symbol in SYMBOLS)
            yield Cue(self._block(1, 0), Opening(house, money))
            for eon in range(1, last):
                for _ in range(STEPS_OF_A_HOUSE):
                    yield Cue(self._somewhen(eon, earliest=18), Trading(house))
                if FIRST_EON_OF_WITHDRAWALS <= eon <= last - EONS_UNTIL_PAID:
                    name = owners_name(house, self._dice.choice(SYMBOLS))
                    share = self._dice.randint(10, 50)
                    yield Cue(self._somewhen(eon, earliest=10), Withdrawal(name, share))
            for era in COMING_HOME:
                yield Cue(self._block(last, era), ComingHome(house))

    def _cheating(self) -> Iterator[Cue]:
        """Each cheat in turn; after a fraud its friend gives some of the money back."""
        last = self._eons - EONS_UNTIL_PAID
        for number, eon in enumerate(range(FIRST_EON_OF_WITHDRAWALS, last + 1, 2)):
            cheat = self._cast.cheats[number % len(self._cast.cheats)]
            friend = self._dice.choice(self._cast.honest)
            asks = self._somewhen(eon, earliest=14)
            spent_before = self._dice.random() < 0.5
            spends = self._block(eon - 1, 16) if spent_before else self._block(eon, 10)
            yield Cue(spends, OldProofWithdrawal(cheat, friend, self._nonce(), asks))
            yield Cue(self._block(eon + 1, 20), Payment(friend, cheat, 100, self._nonce()))

    def _challenges(self) -> Iterator[Cue]:
        """One challenge in each eon at least, and each kind, but none that cannot be answered."""
        opens = self._clock.epoch_blocks + 1
        eons = [
            eon for eon in range(FIRST_EON_OF_CHALLENGES, self._eons + 1) if eon != self._outage_eon
        ]
        for number in range(max(KINDS_OF_CHALLENGES, len(eons))):
            eon = eons[number % len(eons)]
            # What is opened in an eon's last blocks is answered in the next, which may be dark.
            latest = 2 * opens if eon == self._outage_eon - 1 else None
            block = self._somewhen(eon, earliest=opens, latest=latest)
            yield Cue(block, self._challenge(number))
        for eon, name in self._cast.newcomers:
            if eon + 1 in eons:
                latest = 2 * opens if eon + 1 == self._outage_eon - 1 else None
                block = self._somewhen(eon + 1, earliest=opens, latest=latest)
                yield Cue(block, StateUpdateChallenge(name))

    def _challenge(self, number: int) -> Scene:
        (name,) = self._some_honest(1)
        kind = number % KINDS_OF_CHALLENGES
        if kind == 0:
            return StateUpdateChallenge(name)
        pick = self._dice.getrandbits(16)
        if kind == KINDS_OF_CHALLENGES - 1:
            return SwapChallenge(self._dice.choice(self._cast.houses), pick)
        by_recipient = self._dice.random() < 0.5
        return DeliveryChallenge(name, pick, by_recipient, passive_form=kind == 1)

    def _faults(self) -> Iterator[Cue]:
        """Every fault at least once, spread over the eons between the first and the last."""
        long = Outage(self._clock.blocks_per_eon // 2)
        yield Cue(self._somewhen(self._outage_eon, latest=LATEST_LONG_OUTAGE), long)
        kinds: Sequence[Scene] = [
            *(Kill(part) for part in KILLED),
            *(Reorganisation(depth) for depth in (1, 2, 3)),
            Outage(SHORT_OUTAGE_BLOCKS),
            LostMempool(),
            DearBlocks(20),
        ]
        shuffled = self._dice.sample(kinds, len(kinds))
        eons = range(FIRST_EON_OF_CHALLENGES, self._eons)
        for number in range(max(len(shuffled), len(eons))):
            eon = eons[number % len(eons)]
            yield Cue(self._somewhen(eon), shuffled[number % len(shuffled)])
