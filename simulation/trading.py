"""People who trade at random through the eons, as the whole network's exchange sees them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from protocol.address import Address
from wallet.desk import TradingDesk
from wallet.errors import (
    ChainFailure,
    NotPossible,
    OperatorRefused,
    OperatorUnreachable,
    TimedOut,
)
from wallet.order_signing import Wish
from wallet.trader import Fate, Trader

# What a trader meets without anybody's fault: the turn of the eon, another's trade, an outage.
TROUBLE: Final = (OperatorRefused, OperatorUnreachable, ChainFailure, TimedOut, NotPossible)
PRICE_STEPS: Final = 20


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody trades: chances of an act a step, and the size and life of orders.

    Prices are drawn around par, a unit of one token for one of the other, by up to a fifth.
    """

    place: float = 0.6
    cancel: float = 0.15
    freeze_only: float = 0.2
    buys: float = 0.2
    smallest: int = 10**9
    largest: int = 10**15
    most_eons: int = 4


@dataclass(slots=True)
class TradingActor:
    """One owner with trading addresses and a pair of tokens; all chances come from `random`.

    `acts` counts what succeeded, `troubles` what was refused or lost, by name. Whatever the wallet
    client catches the operator at is raised.
    """

    desk: TradingDesk
    pair: tuple[Address, Address]
    random: random.Random
    habits: Habits = Habits()
    acts: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    _followed: list[Trader] = field(default_factory=list)
    _eons: dict[str, set[int]] = field(default_factory=dict)

    @property
    def followed(self) -> list[Trader]:
        """The traders whose orders are not over or not brought home."""
        return list(self._followed)

    async def step(self) -> None:
        """Follow every order, then perhaps end one or place another."""
        for trader in self.followed:
            await self._attempt(self._follow, trader)
        if self._followed and self.random.random() < self.habits.cancel:
            await self._attempt(self._end, self.random.choice(self._followed))
        if self.random.random() < self.habits.place:
            await self._attempt(self._place)

    async def come_home(self) -> bool:
        """End what can be ended; tell whether all money is back in the owner's wallets."""
        for trader in self.followed:
            await self._attempt(self.desk.cancel, trader)
            await self._attempt(self._follow, trader)
        return not self._followed

    async def _attempt(self, act: Callable[..., Awaitable[None]], *arguments: object) -> None:
        try:
            await act(*arguments)
        except TROUBLE as trouble:
            code = trouble.code if isinstance(trouble, OperatorRefused) else ""
            self.troubles[code or type(trouble).__name__] += 1

    async def _follow(self, trader: Trader) -> None:
        await trader.sync()
        self._note(trader)
        was = trader.fate
        fate = await self.desk.settle(trader)
        if was is Fate.FULFILLED:
            self.acts["finalised"] += 1
        if fate.frees:
            self.acts[f"over: {fate.name.lower()}"] += 1
            self._followed.remove(trader)

    def _note(self, trader: Trader) -> None:
        """Count an order's first trade, and its second eon."""
        row = trader.row
        if row is None:
            return
        eons = self._eons.setdefault(row.tx_id, {row.eon})
        if row.appended and row.eon not in eons:
            self.acts["carried over"] += len(eons) == 1
            eons.add(row.eon)
        if row.matched.sold and -1 not in eons:
            self.acts["traded"] += 1
            eons.add(-1)

    async def _place(self) -> None:
        sell_token, buy_token = self.random.sample(self.pair, 2)
        owners = self.desk.wallets[sell_token]
        available = (await owners.sync()).available
        habits = self.habits
        if available < habits.smallest:
            return
        amount = self.random.randint(habits.smallest, min(available, habits.largest))
        step = self.random.randint(-PRICE_STEPS // 5, PRICE_STEPS // 5)
        wish = Wish(
            amount,
            max(1, amount * (PRICE_STEPS + step) // PRICE_STEPS),
            eons=self.random.randint(1, habits.most_eons),
            sells=self.random.random() >= habits.buys,
        )
        trader = await self.desk.place(sell_token, buy_token, wish)
        self._followed.append(trader)
        self.acts["placed"] += 1

    async def _end(self, trader: Trader) -> None:
        await trader.sync()
        if self.random.random() < self.habits.freeze_only:
            if trader.fate is Fate.OPEN:
                await trader.freeze()
                self.acts["frozen"] += 1
            return
        await self.desk.cancel(trader)
        if trader.fate is Fate.CANCELLED:
            self.acts["cancelled"] += 1
