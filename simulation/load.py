"""Wallets that pay each other without end and remember what was acknowledged."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from wallet.errors import ChainFailure, NotPossible, OperatorRefused, OperatorUnreachable, TimedOut
from wallet.wallet import Wallet

PAUSE_AFTER_TROUBLE_S: Final = 0.5
LARGEST_PAYMENT: Final = 10**15
TROUBLE: Final = (OperatorRefused, OperatorUnreachable, ChainFailure, TimedOut)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A payment whose countersigned state reached its sender."""

    id: int
    eon: int
    nonce: int
    amount: int
    payer: int
    payee: int


@dataclass(slots=True)
class Load:
    """Some wallets, each paying the next ones in random amounts until told to stop."""

    wallets: list[Wallet]
    random: random.Random
    acknowledged: list[Acknowledged] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, pause_s: float = 0.05) -> None:
        """Pay until `stop`; an error pauses its wallet, which synchronises and goes on."""
        payers = (self._pay(index, pause_s) for index in range(len(self.wallets)))
        await asyncio.gather(*payers)

    def stop(self) -> None:
        """Let every wallet end after its current payment."""
        self._stop.set()

    async def _pay(self, index: int, pause_s: float) -> None:
        wallet = self.wallets[index]
        while not self._stop.is_set():
            other = self.random.choice([i for i in range(len(self.wallets)) if i != index])
            amount = self.random.randrange(1, LARGEST_PAYMENT)
            try:
                paid = await wallet.pay(self.wallets[other].keys.address, amount)
                entry = Acknowledged(paid.id, paid.eon, paid.nonce, amount, index, other)
                self.acknowledged.append(entry)
                await asyncio.sleep(pause_s)
            except (*TROUBLE, NotPossible) as trouble:
                self._count(trouble)
                await asyncio.sleep(PAUSE_AFTER_TROUBLE_S)
                await self._synchronise(wallet)

    async def _synchronise(self, wallet: Wallet) -> None:
        """Learn what became of a payment whose answer was lost."""
        while not self._stop.is_set():
            try:
                await wallet.sync()
            except TROUBLE as trouble:
                self._count(trouble)
                await asyncio.sleep(PAUSE_AFTER_TROUBLE_S)
            else:
                return

    def _count(self, trouble: Exception) -> None:
        code = trouble.code or str(trouble.status) if isinstance(trouble, OperatorRefused) else ""
        self.troubles[code or type(trouble).__name__] += 1


async def find_lost_or_doubled(load: Load) -> list[str]:
    """Compare what was acknowledged with what the operator says now; return every difference."""
    found: list[str] = []
    for eon in sorted({entry.eon for entry in load.acknowledged}):
        for index, wallet in enumerate(load.wallets):
            state = await wallet.home.api.wallet_state(eon, wallet.token, wallet.keys.address)
            listed = Counter((t.id, t.nonce, t.amount) for t in state.transactions)
            sent = [e for e in load.acknowledged if e.eon == eon and index in (e.payer, e.payee)]
            found += [
                f"payment {entry.id} of eon {eon} appears {listed[key]} times for wallet {index}"
                for entry in sent
                if listed[key := (entry.id, entry.nonce, entry.amount)] != 1
            ]
    return found
