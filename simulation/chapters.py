"""What stories have in common: their chapters, told as each of them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from protocol.address import Address, checksum_address
from protocol.clock import EonClock
from simulation.pace import Pace
from wallet.wallet import Home, Wallet

CONFIRMATION_MARGIN_BLOCKS: Final = 40
CHECKPOINT_MARGIN_EONS: Final = 2


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing that happened: a title, facts by name, and the eon, desk or duty it concerns.

    `duty` is the id of a workflow. `symbol` is the token's of the amounts among the facts, and of
    the desk.
    """

    title: str
    facts: dict[str, str] = field(default_factory=dict)
    eon: int | None = None
    desk: str | None = None
    symbol: str = "ETH"
    duty: str | None = None


@dataclass(frozen=True, slots=True)
class Requested:
    """A withdrawal on its way: payable from a block on, so many blocks after its request."""

    wallet: Wallet
    amount: int
    payable: int
    blocks: int
    holds_then: int


@dataclass(frozen=True, slots=True)
class Narrator:
    """Plays the chapters that wallets of any story go through; `tell` hears each as it ends.

    Whatever the wallets find wrong is raised. `symbols` are the tokens' short names.
    """

    home: Home
    pace: Pace
    tell: Callable[[Chapter], None]
    symbols: dict[Address, str]

    @property
    def clock(self) -> EonClock:
        """The chain's clock."""
        return EonClock(self.home.chain.genesis_block, self.home.chain.blocks_per_eon)

    def symbol(self, token: Address) -> str:
        """A token's short name."""
        return self.symbols[token]

    def admitted(self, wallet: Wallet) -> None:
        """Tell that a wallet is admitted; both countersignatures were verified."""
        self.tell(
            Chapter(
                "A wallet is admitted",
                {
                    "address": wallet.keys.address_text,
                    "trail": str(wallet.identity.trail),
                    "balance": str(wallet.balance),
                },
                wallet.book.eon,
                symbol=self.symbol(wallet.token),
            )
        )

    async def deposit(self, wallet: Wallet, amount: int) -> None:
        """A deposit is mined, confirmed and credited."""
        before = wallet.balance
        mined = await wallet.deposit(amount)

        async def credited() -> bool:
            await wallet.sync()
            return wallet.balance == before + amount

        await self.pace.wait_until(
            "the deposit's confirmations", credited, most_blocks=CONFIRMATION_MARGIN_BLOCKS
        )
        self.tell(
            Chapter(
                "A deposit is credited",
                {
                    "amount": str(amount),
                    "transaction": "0x" + mined.transaction_hash.hex(),
                    "block": str(mined.block),
                    "balance": str(wallet.balance),
                },
                wallet.book.eon,
                symbol=self.symbol(wallet.token),
            )
        )

    async def reach(self, eon: int, wallets: Sequence[Wallet]) -> None:
        """The checkpoint of `eon` is on chain, and the wallets have verified their allotments."""

        async def committed() -> bool:
            for wallet in wallets:
                book = await wallet.sync()
                if book.eon < eon or (wallet.book_of(eon) or book).opening is None:
                    return False
            return await asyncio.to_thread(self.home.parent_chain.checkpoint_root, eon) is not None

        await self.pace.wait_until(
            f"the checkpoint of eon {eon}",
            committed,
            most_blocks=self.eons(CHECKPOINT_MARGIN_EONS),
        )

    async def see_commitment(self, eon: int, wallets: Sequence[Wallet]) -> None:
        """The checkpoint of `eon` is on chain and holds exactly what the wallets know."""
        await self.reach(eon, wallets)
        for wallet in wallets:
            root = await wallet.verify_on_chain(eon)
            self.tell(
                Chapter(
                    f"Eon {eon} is committed, and the proof holds against the contract",
                    {
                        "address": wallet.keys.address_text,
                        "root": "0x" + root.hex(),
                        "balance": str(wallet.balance),
                    },
                    eon,
                    symbol=self.symbol(wallet.token),
                )
            )

    async def tokens_listed(self) -> None:
        """Wait until the operator lists the story's tokens: a new one is registered on chain."""
        wanted = {checksum_address(token).lower() for token in self.symbols}

        async def listed() -> bool:
            known = {token.address_text.lower() for token in await self.home.api.tokens()}
            return wanted <= known

        await self.pace.wait_until(
            "the registration of the tokens", listed, most_blocks=self.eons(1)
        )

    async def early_in_an_eon(self) -> None:
        """Wait for an eon with a checkpoint and two thirds of its blocks still to come."""
        chain, clock = self.home.parent_chain, self.clock

        async def is_early() -> bool:
            block = await asyncio.to_thread(chain.block)
            eon = clock.eon_of(block)
            if 3 * (clock.last_block(eon) - block) < 2 * clock.blocks_per_eon:
                return False
            return await asyncio.to_thread(chain.checkpoint_root, eon) is not None

        await self.pace.wait_until(
            "the checkpoint of an eon that has only begun",
            is_early,
            most_blocks=self.eons(CHECKPOINT_MARGIN_EONS),
        )

    async def request(self, wallet: Wallet, eon: int, amount: int) -> Requested:
        """A wallet asks the contract for money, from `eon` on."""

        async def turned() -> bool:
            book = await wallet.sync()
            return book.eon >= eon and wallet.withdrawable() >= amount

        await self.pace.wait_until(
            f"eon {eon}, in which the proof may be used",
            turned,
            most_blocks=self.eons(CHECKPOINT_MARGIN_EONS),
        )
        mined = await wallet.request_withdrawal(amount)
        requested_in = self.clock.eon_of(mined.block)
        payable = self.clock.first_payable_block(requested_in)
        before = await asyncio.to_thread(
            self.home.parent_chain.balance, wallet.token, wallet.keys.address
        )
        self.tell(
            Chapter(
                "A withdrawal is requested on chain",
                {
                    "amount": str(amount),
                    "transaction": "0x" + mined.transaction_hash.hex(),
                    "payable from block": str(payable),
                    "blocks left": str(payable - mined.block),
                },
                requested_in,
                checksum_address(wallet.keys.address),
                self.symbol(wallet.token),
            )
        )
        return Requested(wallet, amount, payable, payable - mined.block, before + amount)

    async def see_paid(self, requested: Requested) -> None:
        """The operator pays a withdrawal when it may."""
        wallet = requested.wallet
        chain, address = self.home.parent_chain, wallet.keys.address

        async def paid() -> bool:
            held = await asyncio.to_thread(chain.balance, wallet.token, address)
            return held == requested.holds_then

        await self.pace.wait_until(
            f"block {requested.payable}, from which the operator pays",
            paid,
            most_blocks=requested.blocks + self.eons(1),
        )
        await wallet.sync()
        self.tell(
            Chapter(
                "The withdrawal is paid out on chain",
                {
                    "amount": str(requested.amount),
                    "to": wallet.keys.address_text,
                    "left off chain": str(wallet.balance),
                },
                wallet.book.eon,
                checksum_address(address),
                self.symbol(wallet.token),
            )
        )

    def eons(self, count: int) -> int:
        """So many eons in blocks."""
        return count * self.home.chain.blocks_per_eon
