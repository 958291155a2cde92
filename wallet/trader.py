"""One address that trades: two wallets of it, one order at a time, through all the order's eons."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocol.address import Address
from wallet.errors import Deception, NotPossible, NotYet, TimedOut
from wallet.keys import Keys
from wallet.order_entry import OrderEntry, require_progress
from wallet.order_signing import (
    Wish,
    sign_cancellation,
    sign_finalisation,
    sign_freeze,
    sign_order,
)
from wallet.stream import Event
from wallet.wallet import Home, Wallet, fresh_nonce
from wallet.wire import MatchedAmounts, OrderRow, SignedState, Transaction

LOOK_AGAIN_S: Final = 1.0


class Fate(Enum):
    """What has become of an order, by what its trader has verified."""

    WAITING = "its copy of this eon is not confirmed yet"
    OPEN = "it may trade"
    FULFILLED = "it traded to its end and is to be finalised"
    FROZEN = "it does not trade any more and is to be cancelled"
    FINALISED = "it was finalised"
    CANCELLED = "it was cancelled"
    ENDED = "its eons are over"

    @property
    def frees(self) -> bool:
        """Whether the wallets may be used for something else."""
        return self in (Fate.FINALISED, Fate.CANCELLED, Fate.ENDED)


@dataclass(frozen=True, slots=True)
class Placed:
    """The order that a trader follows: its two tokens, its eons and its name."""

    tx_id: str
    sell_token: Address
    buy_token: Address
    first_eon: int
    eons: int


class Trader:
    """One address. Every call raises `Deception` if the operator's word does not hold."""

    def __init__(self, home: Home, keys: Keys) -> None:
        self.home = home
        self.keys = keys
        self.placed: Placed | None = None
        self._wallets: dict[Address, Wallet] = {}
        self._changed = asyncio.Event()
        home.stream.listen(self._hear)

    def wallet(self, token: Address) -> Wallet:
        """This address's wallet of a token."""
        if token not in self._wallets:
            self._wallets[token] = Wallet(self.home, self.keys, token)
        return self._wallets[token]

    def _hear(self, event: Event) -> None:
        for wallet in self._wallets.values():
            if event.stream.lower() == wallet.stream_name.lower():
                wallet.hear(event)
                self._changed.set()

    @property
    def row(self) -> OrderRow | None:
        """The order's copy of the eon in which it is or last was, None without one."""
        if self.placed is None:
            return None
        return self._row_of(self.wallet(self.placed.sell_token))

    @property
    def fate(self) -> Fate:
        """What has become of the order, as of the last `sync`. Raises `NotPossible`."""
        placed, row = self._require_placed(), self.row
        if row is None or row.voided:
            return Fate.ENDED
        if row.finalisation_state is not None:
            return Fate.FINALISED
        if row.debit_cancellation is not None:
            return Fate.CANCELLED
        if row.processed or row.eon != self.wallet(placed.sell_token).book.eon:
            return Fate.ENDED
        if not row.appended:
            return Fate.WAITING
        if row.complete:
            return Fate.FULFILLED
        return Fate.FROZEN if row.cancelled else Fate.OPEN

    @property
    def matched(self) -> MatchedAmounts:
        """What the order has sold and bought so far."""
        row = self.row
        if row is None:
            raise NotPossible("the trader has no order")
        return row.matched

    async def sync(self) -> None:
        """Read and verify both wallets of the order."""
        placed = self._require_placed()
        for token in (placed.sell_token, placed.buy_token):
            await self.wallet(token).sync()

    async def place(self, sell_token: Address, buy_token: Address, wish: Wish) -> OrderRow:
        """Place an order with all that the wallet of `sell_token` has, and verify the answer.

        Raises `NotPossible` while the two wallets are not ready, `NotYet` if they will be.
        """
        if self.placed is not None:
            await self.sync()
            if not self.fate.frees:
                raise NotPossible("the trader has an order already")
        debit, credit = self.wallet(sell_token), self.wallet(buy_token)
        book, other = await debit.sync(), await credit.sync()
        if debit.withdrawing or credit.withdrawing:
            raise NotPossible("an order's markers would let a withdrawal under way be cancelled")
        nonce = fresh_nonce()
        body = sign_order(self.keys.signer, book, other, wish, nonce)
        row = await self.home.api.place_order(body)
        said = (row.nonce, row.amount, row.amount_swapped, row.sells, row.eon, row.appended)
        known = (nonce, wish.amount, wish.wanted, wish.sells, book.eon, True)
        if said != known:
            raise Deception("the answer is of another order than the one signed")
        book.add_order(row)
        other.add_order(row)
        self.placed = Placed(row.tx_id, sell_token, buy_token, row.eon, wish.eons)
        return row

    async def until(self, fates: Collection[Fate], *, timeout_s: float) -> Fate:
        """Follow the order until its fate is one of `fates`; raises `TimedOut`."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    self._changed.clear()
                    await self.sync()
                    if self.fate in fates:
                        return self.fate
                    await self._wait_for_news()
        except TimeoutError as cause:
            raise TimedOut(f"the order is {self.fate.name}, not one of {fates}") from cause

    async def _wait_for_news(self) -> None:
        """Wait for a push; they may be lost, so not for long."""
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._changed.wait()
        except TimeoutError:
            return

    async def freeze(self) -> MatchedAmounts:
        """Stop the order from matching; what it traded does not move any more."""
        row = await self._current(Fate.OPEN)
        answer = await self.home.api.freeze_order(row.id, sign_freeze(self.keys.signer, row))
        if answer.tx_id != row.tx_id or answer.id != row.id:
            raise Deception("the operator froze another order than the one named")
        await self.sync()
        if self.row is not None and self.row.id == row.id and self.row.matched != answer.matched:
            raise Deception(f"order {row.id} went on trading after it was frozen")
        return answer.matched

    async def cancel(self) -> OrderRow:
        """End the frozen order: both wallets are free, with what it traded and what it did not."""
        row = await self._current(Fate.FROZEN)
        debit, credit = self._entries()
        eons = await self._eons_left(row)
        answer = await self.home.api.cancel_order(
            row.id, sign_cancellation(self.keys.signer, debit, credit, eons)
        )
        return await self._ended(
            row, answer.tx_id, debit=answer.debit_state, credit=answer.credit_state
        )

    async def finalise(self) -> OrderRow:
        """End the fulfilled order in the eon of its fulfilment: both wallets are free."""
        row = await self._current(Fate.FULFILLED)
        _, credit = self._entries()
        eons = await self._eons_left(row)
        answer = await self.home.api.finalise_order(
            row.id, sign_finalisation(self.keys.signer, credit, eons)
        )
        return await self._ended(row, answer.tx_id, credit=answer.credit_state)

    async def harvest(self, owner: Address) -> list[Transaction]:
        """Pay all that the wallets of the ended order hold to `owner`, the proceeds first."""
        placed = self._require_placed()
        if not self.fate.frees:
            raise NotPossible(f"the order is not over: {self.fate.value}")
        paid = []
        for token in (placed.buy_token, placed.sell_token):
            wallet = self.wallet(token)
            book = await wallet.sync()
            if book.is_free and book.available > 0:
                paid.append(await wallet.pay(owner, book.available))
        return paid

    async def _current(self, fate: Fate) -> OrderRow:
        await self.sync()
        row = self.row
        if row is None or self.fate is not fate:
            error = NotYet if self.fate is Fate.WAITING else NotPossible
            raise error(f"the order is {self.fate.name}, not {fate.name}: {self.fate.value}")
        return row

    async def _eons_left(self, row: OrderRow) -> list[int]:
        """The eons of the order's copies from this one on, void ones included."""
        placed = self._require_placed()
        listed = await self.home.api.order_copies(row.tx_id)
        eons = [copy.eon for copy in listed if copy.eon >= row.eon]
        if eons != list(range(row.eon, placed.first_eon + placed.eons)):
            raise Deception(f"order {row.id} does not have the copies that its trader signed")
        return eons

    async def _ended(
        self,
        row: OrderRow,
        tx_id: str,
        *,
        credit: SignedState,
        debit: SignedState | None = None,
    ) -> OrderRow:
        """Read the order that the operator says has ended, and compare it with the answer."""
        await self.sync()
        ended = self.row
        if ended is None or ended.id != row.id or tx_id != row.tx_id:
            raise Deception(f"order {row.id} was ended, and is no longer there")
        require_progress(row, ended)
        if credit not in (ended.finalisation_state, ended.credit_cancellation):
            raise Deception(f"order {row.id} ended in another state than was answered")
        if debit != ended.debit_cancellation:
            raise Deception(f"order {row.id} ended in another state than was answered")
        return ended

    def _entries(self) -> tuple[OrderEntry, OrderEntry]:
        placed = self._require_placed()
        entries = [self.wallet(t).book.order for t in (placed.sell_token, placed.buy_token)]
        debit, credit = entries
        if debit is None or credit is None or debit.row.tx_id != credit.row.tx_id:
            raise Deception("an order stands in one of its wallets only")
        return debit, credit

    def _row_of(self, wallet: Wallet) -> OrderRow | None:
        """The copy of the newest eon that the wallet has read."""
        for eon in range(wallet.book.eon, wallet.book.eon - 2, -1):
            book = wallet.book_of(eon)
            rows = book.orders.values() if book else ()
            found = [row for row in rows if self.placed and row.tx_id == self.placed.tx_id]
            if found:
                return found[0]
        return None

    def _require_placed(self) -> Placed:
        if self.placed is None:
            raise NotPossible("the trader has placed no order")
        return self.placed
