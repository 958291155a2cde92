"""Who plays: wallets with names, each with a lock, for one scene at a time may use a wallet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from protocol.address import Address
from simulation.patience import patiently
from wallet.book import EonBook
from wallet.keys import Keys
from wallet.wallet import Home, Wallet

GAS_MONEY: Final = 10**23
"""Wei outside the commit-chain with which every player begins: for gas, bonds and deposits."""


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


def new_player(home: Home, seed: int, name: str, token: Address) -> Player:
    """A wallet whose key follows from the seed of the play and its name."""
    keys = Keys.from_text(f"nocust play {seed} {name}")
    return Player(name, Wallet(home, keys, token))
