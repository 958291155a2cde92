"""Houses that trade through the eons."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.patience import patiently
from simulation.play.cast import owners_name
from simulation.play.scenes.money import Deposit
from simulation.play.stage import Stage


@dataclass(frozen=True, slots=True)
class Opening:
    """A house is admitted with all of its wallets, and brings money of each token, by symbol."""

    house: str
    amounts: tuple[tuple[str, int], ...]
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Register when the tokens are listed, deposit, and see the deposits credited."""
        house = stage.houses[self.house]

        async def listed() -> bool:
            return len(await stage.home.api.tokens()) >= len(house.actor.desk.tokens)

        last = stage.clock.last_block(stage.eon)
        await stage.wait_for("the registration of the tokens", listed, last_block=last)
        async with house.lock:
            await patiently(f"{house.name} opens", house.actor.desk.open)
        for _ in house.players:
            stage.tally.count("wallets admitted")
        for symbol, amount in self.amounts:
            await Deposit(owners_name(self.house, symbol), amount).play(stage)


@dataclass(frozen=True, slots=True)
class Trading:
    """A house follows its orders, and perhaps ends one or places another."""

    house: str
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Take one step."""
        house = stage.houses[self.house]
        async with house.lock:
            await house.actor.step()


@dataclass(frozen=True, slots=True)
class ComingHome:
    """A house cancels what is open and takes its money back to its own wallets."""

    house: str
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Try once; what is not confirmed yet is for the next time."""
        house = stage.houses[self.house]
        async with house.lock:
            await house.actor.come_home()
