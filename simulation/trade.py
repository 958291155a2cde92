"""Two people trade across eons: orders, a match in each of two eons, and the money at home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from protocol.address import Address
from simulation.chapters import Chapter, Narrator
from simulation.pace import Pace
from wallet.desk import TradingDesk
from wallet.errors import Deception
from wallet.keys import Keys
from wallet.order_signing import Wish
from wallet.trader import Fate, Trader
from wallet.wallet import Home, Wallet

MATCH_TIMEOUT_S: Final = 60
PRICE: Final = 3


@dataclass(slots=True)
class Trade:
    """One sells `amount` of the first token, the other pays three of the second for each.

    Half is traded in one eon, a quarter in the next; then what is left is cancelled. Both bring
    what they got to their owners' wallets, prove it against the contract and take it out.
    """

    narrator: Narrator
    seller: TradingDesk
    buyer: TradingDesk
    tokens: tuple[Address, Address]
    amount: int
    _held: dict[Address, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        home: Home,
        owners: tuple[Keys, Keys],
        tokens: dict[Address, str],
        amount: int,
        pace: Pace,
        tell: Callable[[Chapter], None],
    ) -> Trade:
        """Set a story up; `tokens` are the sold and the bought one with their short names,
        `amount` is divisible by 4."""
        sold, bought = tokens
        seller, buyer = (TradingDesk(home, keys, [sold, bought]) for keys in owners)
        return cls(Narrator(home, pace, tell, tokens), seller, buyer, (sold, bought), amount)

    async def play(self) -> None:
        """Play every chapter in order. Raises whatever the wallets find wrong."""
        await self.admit_and_fund()
        order = await self.place()
        await self.match(order, self.amount // 2)
        await self.carry(order)
        await self.match(order, self.amount // 4)
        await self.cancel(order)
        await self.prove()
        await self.take_out()

    async def admit_and_fund(self) -> None:
        """Owners and trading addresses are admitted, and both bring what they want to trade."""
        await self.narrator.tokens_listed()
        for desk, token, amount in (
            (self.seller, self.tokens[0], self.amount),
            (self.buyer, self.tokens[1], PRICE * self.amount),
        ):
            await desk.open()
            wallet = desk.wallets[token]
            self.narrator.admitted(wallet)
            self.narrator.tell(
                Chapter(
                    "Five trading addresses, derived from the owner's key",
                    {
                        f"m/44'/60'/0'/0/{number}": trader.keys.address_text
                        for number, trader in enumerate(desk.traders)
                    },
                )
            )
            await self.narrator.deposit(wallet, amount)
        sold, bought = self.tokens
        self._held = {
            bought: self.seller.wallets[bought].balance,
            sold: self.buyer.wallets[sold].balance,
        }

    async def place(self) -> Trader:
        """The seller's order is countersigned for this eon and signed for four more."""
        sold, bought = self.tokens
        await self.narrator.early_in_an_eon()
        order = await self.seller.place(sold, bought, Wish(self.amount, PRICE * self.amount))
        row = order.row
        if row is None:
            raise Deception("a countersigned order is not there")
        self.narrator.tell(
            Chapter(
                "An order is placed, with signatures for five eons",
                {
                    "address": order.keys.address_text,
                    "sells": f"{row.amount} {self.narrator.symbol(sold)}",
                    "for at least": f"{row.amount_swapped} {self.narrator.symbol(bought)}",
                    "tx_id": row.tx_id,
                },
                row.eon,
            )
        )
        return order

    async def match(self, order: Trader, amount: int) -> None:
        """The buyer takes part of the order, finalises, and has the proceeds at home."""
        sold, bought = self.tokens
        before = order.matched
        taker = await self.buyer.place(bought, sold, Wish(PRICE * amount, amount))
        await taker.until([Fate.FULFILLED], timeout_s=MATCH_TIMEOUT_S)
        await order.sync()
        traded = (order.matched.sold - before.sold, order.matched.bought - before.bought)
        if traded != (amount, PRICE * amount):
            raise Deception(f"the order traded {traded}")
        await self.buyer.settle(taker)
        self.narrator.tell(
            Chapter(
                "A match: the buyer's order is fulfilled, finalised and brought home",
                {
                    "amount": str(amount),
                    "for": f"{PRICE * amount} {self.narrator.symbol(bought)}",
                    "left in the order": str(self.amount - order.matched.sold),
                },
                taker.wallet(sold).book.eon,
                symbol=self.narrator.symbol(sold),
            )
        )

    async def carry(self, order: Trader) -> None:
        """The eon turns: the next copy of the order is confirmed on the new allotments."""
        sold, bought = self.tokens
        row = order.row
        eon = row.eon + 1 if row else 0
        wallets = [order.wallet(sold), order.wallet(bought)]
        await self.narrator.reach(eon, wallets)
        await order.until([Fate.OPEN], timeout_s=MATCH_TIMEOUT_S)
        for wallet in wallets:
            root = await wallet.verify_on_chain(eon)
        self.narrator.tell(
            Chapter(
                f"The order goes on in eon {eon}, on allotments that the contract proves",
                {
                    "root": "0x" + root.hex(),
                    "unsold": str(order.wallet(sold).book.start),
                    "bought": f"{order.wallet(bought).book.start} {self.narrator.symbol(bought)}",
                },
                eon,
                symbol=self.narrator.symbol(sold),
            )
        )

    async def cancel(self, order: Trader) -> None:
        """The seller freezes and cancels the rest, and brings everything home."""
        sold, bought = self.tokens
        await self.seller.cancel(order)
        if order.fate is not Fate.CANCELLED:
            raise Deception(f"the order was cancelled, and is {order.fate.name}")
        held = await self.seller.totals()
        self.narrator.tell(
            Chapter(
                "The rest is frozen and cancelled: all money is in the owner's wallets",
                {
                    "unsold": str(held[sold]),
                    "bought": f"{held[bought]} {self.narrator.symbol(bought)}",
                },
                order.wallet(sold).book.eon,
                symbol=self.narrator.symbol(sold),
            )
        )

    @property
    def proceeds(self) -> tuple[tuple[Wallet, int], ...]:
        """The owners' wallets of what they bought, and how much that was."""
        sold, bought = self.tokens
        got = 3 * self.amount // 4
        return (self.seller.wallets[bought], PRICE * got), (self.buyer.wallets[sold], got)

    async def prove(self) -> None:
        """Both have what they bought, and prove the next checkpoint against the contract."""
        for wallet, amount in self.proceeds:
            due = self._held[wallet.token] + amount
            if (await wallet.sync()).available != due:
                raise Deception(f"a trader holds {wallet.balance}, not {due}")
        eon = self.proceeds[0][0].book.eon
        wallets = [*self.seller.wallets.values(), *self.buyer.wallets.values()]
        await self.narrator.see_commitment(eon + 1, wallets)

    async def take_out(self) -> None:
        """Both take what they bought out of the commit-chain."""
        eon = self.proceeds[0][0].book.eon
        on_their_way = [
            await self.narrator.request(wallet, eon + 1, amount) for wallet, amount in self.proceeds
        ]
        for requested in on_their_way:
            await self.narrator.see_paid(requested)
