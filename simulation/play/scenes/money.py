"""Money comes in, goes round, and goes out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from simulation.pace import NeverHappened
from simulation.patience import PAUSE_S, is_trouble, patiently
from simulation.play.cast import Player
from simulation.play.stage import Stage
from simulation.play.tally import Acknowledged
from wallet.errors import NotPossible, OperatorRefused, WalletError
from wallet.wire import Transaction

MOST_TRIES: Final = 100
SHARES: Final = 1000
"""Amounts of a script are shares of what is there at the time, in thousandths."""
TURNING: Final = frozenset({"EON_NUMBER_OUT_OF_SYNC"})


@dataclass(frozen=True, slots=True)
class Admission:
    """A wallet is admitted and makes its first deposit."""

    player: str
    amount: int
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Register, and deposit unless the amount is 0."""
        player = stage.players[self.player]
        async with player.lock:
            await patiently(f"{player.name} registers", player.wallet.register)
            await player.synchronise()
        stage.tally.count("wallets admitted")
        if self.amount:
            await Deposit(self.player, self.amount).play(stage)


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit is mined, confirmed, and stands in the wallet's book."""

    player: str
    amount: int
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Deposit, and see it credited soon after its confirmations."""
        player = stage.players[self.player]
        mined = await player.wallet.deposit(self.amount)

        async def credited() -> bool:
            async with player.lock:
                await player.synchronise()
                books = [player.wallet.book_of(eon) for eon in (stage.eon - 1, stage.eon)]
            return any(book and mined.transaction_hash in book.deposits for book in books)

        # An outage may keep the operator from seeing it for half an eon.
        last = mined.block + stage.clock.blocks_per_eon
        await stage.timeline.until(mined.block + stage.confirmations)
        await stage.wait_for(f"the credit of {player.name}'s deposit", credited, last_block=last)
        stage.tally.count("deposits credited")


@dataclass(frozen=True, slots=True)
class Payment:
    """A wallet pays another a share of what it has."""

    payer: str
    payee: str
    share: int
    nonce: int
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Pay; a payment is never given up before it is known what became of it."""
        payer, payee = stage.players[self.payer], stage.players[self.payee]
        async with payer.lock:
            await pay(stage, payer, payee, share=self.share, nonce=self.nonce)


async def pay(stage: Stage, payer: Player, payee: Player, *, share: int, nonce: int) -> bool:
    """Pay with a fixed nonce until it is acknowledged; the caller holds the payer's lock.

    False when there is nothing to pay with. What was acknowledged is written down.
    """
    for _ in range(MOST_TRIES):
        await payer.synchronise()
        done = _sent(payer, nonce)
        amount = payer.wallet.balance * share // SHARES
        if done is None and amount == 0:
            return False
        try:
            done = done or await payer.wallet.pay(payee.address, amount, nonce=nonce)
        except NotPossible:
            continue
        except WalletError as error:
            if not is_trouble(error) and not _is_turn(error):
                raise
            stage.tally.meet(error)
            await asyncio.sleep(PAUSE_S)
            continue
        stage.tally.payments.append(
            Acknowledged(done.id, done.eon, done.nonce, done.amount, payer.name, payee.name)
        )
        stage.tally.count("payments acknowledged")
        return True
    raise NeverHappened(f"a payment by {payer.name}: not in {MOST_TRIES} tries")


def _sent(player: Player, nonce: int) -> Transaction | None:
    """The payment with this nonce, if a lost answer acknowledged it in this eon or the last."""
    eon = player.wallet.book.eon
    books = [player.wallet.book_of(one) for one in (eon - 1, eon)]
    sent = [transfer for book in books if book for transfer in book.sent]
    return next((transfer for transfer in sent if transfer.nonce == nonce), None)


def _is_turn(error: Exception) -> bool:
    return isinstance(error, OperatorRefused) and error.code in TURNING


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An honest wallet asks the contract for a share of what it may; it is paid by the verdict."""

    player: str
    share: int
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Ask with the last eon's proof."""
        player = stage.players[self.player]
        async with player.lock:
            await player.synchronise()
            amount = player.wallet.withdrawable() * self.share // SHARES
            if amount == 0:
                return
            await player.wallet.request_withdrawal(amount)
        stage.tally.count("withdrawals requested")
