"""Who plays: wallets and trading houses, by names; one scene at a time may use each of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from protocol.address import Address
from simulation.patience import patiently
from simulation.trading import Habits, TradingActor
from wallet.book import EonBook
from wallet.desk import TradingDesk
from wallet.keys import Keys
from wallet.wallet import Home, Wallet

GAS_MONEY: Final = 10**23
"""Wei outside the commit-chain with which every player begins: for gas, bonds and deposits."""
HABITS: Final = Habits(place=0.8, cancel=0.25, most_eons=3)


@dataclass(slots=True)
class Player:
    """One wallet of a play. `lock` is held by whoever uses it, but never while waiting."""

    name: str
    wallet: Wallet
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def address(self) -> Address:
        """Its address."""
        return self.wallet.keys.address

    @property
    def key(self) -> bytes:
        """Its private key, for the parent chain."""
        return self.wallet.keys.private_key

    @property
    def token(self) -> Address:
        """What it holds."""
        return self.wallet.token

    @property
    def admitted_in(self) -> int:
        """The eon of its admission. Raises `LookupError` before that."""
        if self.wallet.registration is None:
            raise LookupError(f"{self.name} is not admitted")
        return self.wallet.registration.eon

    async def synchronise(self) -> EonBook:
        """Read and verify everything anew, for as long as the operator needs to be back."""
        return await patiently(f"{self.name} synchronises", self.wallet.sync)


@dataclass(slots=True)
class House:
    """Somebody who trades: an owner's wallets and those of the trading addresses, as players."""

    name: str
    actor: TradingActor
    players: list[Player]
    lock: asyncio.Lock

    def trading(self) -> list[Player]:
        """The players of the trading addresses."""
        owner = self.actor.desk.owner.address
        return [player for player in self.players if player.address != owner]


@dataclass(frozen=True, slots=True)
class Cast:
    """Names: honest wallets, wallets that cheat, wallets that come later (by eon), houses."""

    honest: tuple[str, ...]
    cheats: tuple[str, ...]
    newcomers: tuple[tuple[int, str], ...]
    houses: tuple[str, ...]

    @property
    def wallets(self) -> tuple[str, ...]:
        """Everybody but the houses."""
        return (*self.honest, *self.cheats, *(name for _, name in self.newcomers))


def cast_of(wallets: int, eons: int) -> Cast:
    """So many honest wallets, two cheats, a newcomer every third eon, two trading houses."""
    honest = tuple(f"honest-{number}" for number in range(1, wallets + 1))
    newcomers = tuple((eon, f"newcomer-{eon}") for eon in range(2, eons, 3))
    return Cast(honest, ("cheat-1", "cheat-2"), newcomers, ("house-1", "house-2"))


def owners_name(house: str, symbol: str) -> str:
    """The player that is a house's own wallet of a token."""
    return f"{house} {symbol}"


def new_player(home: Home, seed: int, name: str, token: Address) -> Player:
    """A wallet whose key follows from the seed of the play and its name."""
    wallet = Wallet(home, _keys(seed, name), token)
    home.stream.listen(wallet.hear)
    return Player(name, wallet)


def new_house(home: Home, seed: int, name: str, tokens: Mapping[Address, str]) -> House:
    """A trading house whose keys and chances follow from the seed; `tokens` have symbols."""
    desk = TradingDesk(home, _keys(seed, name), list(tokens))
    first, second = desk.tokens
    actor = TradingActor(desk, (first, second), random.Random(f"{seed} {name}"), HABITS)
    lock = asyncio.Lock()
    players = [
        Player(owners_name(name, tokens[token]), wallet, lock)
        for token, wallet in desk.wallets.items()
    ]
    players += [
        Player(f"{name}/{number} {tokens[token]}", trader.wallet(token), lock)
        for number, trader in enumerate(desk.traders, 1)
        for token in tokens
    ]
    return House(name, actor, players, lock)


def _keys(seed: int, name: str) -> Keys:
    return Keys.from_text(f"nocust play {seed} {name}")
