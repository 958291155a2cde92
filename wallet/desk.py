"""A person's trading: five addresses of one purpose each, fed from and emptied to one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from protocol.address import Address
from wallet.errors import NotPossible
from wallet.keys import Keys
from wallet.order_signing import Wish
from wallet.trader import Fate, Trader
from wallet.wallet import REGISTRATION_TIMEOUT_S, Home, Wallet
from wallet.wire import Registration

PLACES: Final = "no trading address is free: each holds one order at a time"


class TradingDesk:
    """The owner's wallets and the trading addresses derived from the same key.

    Orders live in sub-wallets because an order sells all that its wallet has and fills an empty
    one; and because its markers of 0 would let withdrawals of that wallet be cancelled.
    """

    def __init__(self, home: Home, owner: Keys, tokens: Sequence[Address]) -> None:
        self.home = home
        self.owner = owner
        self.tokens = tuple(tokens)
        self.wallets = {token: Wallet(home, owner, token) for token in tokens}
        self.traders = [Trader(home, keys) for keys in owner.trading_keys()]
        for wallet in self.wallets.values():
            home.stream.listen(wallet.hear)

    async def open(self) -> None:
        """Be admitted with every wallet, in one request, and read the owner's."""
        wallets = [
            *self.wallets.values(),
            *(trader.wallet(token) for trader in self.traders for token in self.tokens),
        ]
        await register_all(self.home, wallets)
        for wallet in self.wallets.values():
            await wallet.sync()

    async def totals(self) -> dict[Address, int]:
        """Read all wallets; what the owner has of each token, orders and trading addresses too."""
        sums = {}
        for token, wallet in self.wallets.items():
            wallets = [wallet, *(trader.wallet(token) for trader in self.traders)]
            sums[token] = sum([(await one.sync()).balance for one in wallets])
        return sums

    def free_trader(self) -> Trader:
        """A trading address without an order. Raises `NotPossible`."""
        for trader in self.traders:
            if trader.placed is None or trader.fate.frees:
                return trader
        raise NotPossible(PLACES)

    async def place(self, sell_token: Address, buy_token: Address, wish: Wish) -> Trader:
        """Place an order under a free address, after its wallets hold what it needs: exactly
        the amount, and nothing."""
        trader = self.free_trader()
        await self._level(trader.wallet(buy_token), 0)
        await self._level(trader.wallet(sell_token), wish.amount)
        await trader.place(sell_token, buy_token, wish)
        return trader

    async def _level(self, wallet: Wallet, amount: int) -> None:
        """Let a sub-wallet hold exactly `amount`, from or to the owner's."""
        has = (await wallet.sync()).available
        owners = self.wallets[wallet.token]
        if has > amount:
            await wallet.pay(self.owner.address, has - amount)
        elif has < amount:
            await owners.sync()
            await owners.pay(wallet.keys.address, amount - has)
            await wallet.sync()

    async def cancel(self, trader: Trader) -> None:
        """Freeze and cancel an order; one that was fulfilled meanwhile stays to be settled."""
        await trader.sync()
        if trader.fate is Fate.OPEN:
            await trader.freeze()
        if trader.fate is Fate.FROZEN:
            await trader.cancel()
            await trader.harvest(self.owner.address)

    async def settle(self, trader: Trader) -> Fate:
        """Do what an order's fate asks of its trader: finalise, and bring the money home."""
        await trader.sync()
        if trader.fate is Fate.FULFILLED:
            await trader.finalise()
        if trader.fate.frees:
            await trader.harvest(self.owner.address)
        return trader.fate


async def register_all(home: Home, wallets: Sequence[Wallet]) -> None:
    """Admit several wallets in one request; those that are admitted already are only read."""
    await home.stream.subscribe([wallet.stream_name for wallet in wallets])
    known = await asyncio.gather(
        *(home.api.whois(wallet.token, wallet.keys.address) for wallet in wallets)
    )
    new = [wallet for wallet, found in zip(wallets, known, strict=True) if found is None]
    if new:
        await home.api.admit_bulk([await wallet.sign_admission() for wallet in new])
    for wallet, found in zip(wallets, known, strict=True):
        if found is None:
            event = await home.stream.wait_for(
                "REGISTERED_WALLET", wallet.stream_name, timeout_s=REGISTRATION_TIMEOUT_S
            )
            found = Registration.read(event.payload)
        wallet.accept_registration(found)
