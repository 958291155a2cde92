"""A wallet's money goes round: deposit, pay, be paid, commit, withdraw, be paid out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from protocol.address import Address, checksum_address
from protocol.clock import EonClock
from simulation.pace import Pace
from wallet.errors import Deception
from wallet.keys import Keys
from wallet.wallet import Home, Wallet

CONFIRMATION_MARGIN_BLOCKS: Final = 40
CHECKPOINT_MARGIN_EONS: Final = 2


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing that happened: a title, facts by name, and the eon and wallet it concerns."""

    title: str
    facts: dict[str, str] = field(default_factory=dict)
    eon: int | None = None
    desk: str | None = None


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much goes round, in smallest units of the token."""

    deposit: int
    payment: int
    repayment: int
    withdrawal: int


@dataclass(slots=True)
class Round:
    """The story of two wallets of one token. `tell` hears each chapter as it ends."""

    home: Home
    payer: Wallet
    payee: Wallet
    amounts: Amounts
    pace: Pace
    tell: Callable[[Chapter], None]
    clock: EonClock

    @classmethod
    def of(
        cls,
        home: Home,
        keys: tuple[Keys, Keys],
        token: Address,
        amounts: Amounts,
        pace: Pace,
        tell: Callable[[Chapter], None],
    ) -> Round:
        """Set a round up for two keys."""
        payer, payee = (Wallet(home, key, token) for key in keys)
        home.stream.listen(payer.hear)
        home.stream.listen(payee.hear)
        clock = EonClock(home.chain.genesis_block, home.chain.blocks_per_eon)
        return cls(home, payer, payee, amounts, pace, tell, clock)

    async def play(self) -> None:
        """Play every chapter in order. Raises whatever the wallets find wrong."""
        await self.register()
        await self.deposit()
        await self.pay_both_ways()
        eon = self.payer.book.eon
        await self.see_commitment(eon + 1)
        await self.withdraw(eon + 2)

    async def register(self) -> None:
        """Both wallets are admitted; both countersignatures are verified."""
        for wallet in (self.payer, self.payee):
            identity = await wallet.register()
            await wallet.sync()
            self.tell(
                Chapter(
                    "A wallet is admitted",
                    {
                        "address": wallet.keys.address_text,
                        "trail": str(identity.trail),
                        "balance": str(wallet.balance),
                    },
                    wallet.book.eon,
                )
            )

    async def deposit(self) -> None:
        """The payer's deposit is mined, confirmed and credited."""
        before = self.payer.balance
        mined = await self.payer.deposit(self.amounts.deposit)

        async def credited() -> bool:
            await self.payer.sync()
            return self.payer.balance == before + self.amounts.deposit

        await self.pace.wait_until(
            "the deposit's confirmations", credited, most_blocks=CONFIRMATION_MARGIN_BLOCKS
        )
        self.tell(
            Chapter(
                "A deposit is credited",
                {
                    "amount": str(self.amounts.deposit),
                    "transaction": "0x" + mined.transaction_hash.hex(),
                    "block": str(mined.block),
                    "balance": str(self.payer.balance),
                },
                self.payer.book.eon,
            )
        )

    async def pay_both_ways(self) -> None:
        """The payer pays, the payee pays part of it back; each receipt is verified."""
        for sender, recipient, amount in (
            (self.payer, self.payee, self.amounts.payment),
            (self.payee, self.payer, self.amounts.repayment),
        ):
            sent = await sender.pay(recipient.keys.address, amount)
            await recipient.sync()
            if sent.id not in recipient.book.received:
                raise Deception("the recipient does not see a payment that was countersigned")
            self.tell(
                Chapter(
                    "A payment, countersigned and free",
                    {
                        "from": sender.keys.address_text,
                        "to": recipient.keys.address_text,
                        "amount": str(amount),
                        "set root": "0x" + sent.state.tx_set_root.hex(),
                        "position": str(sent.position),
                    },
                    sent.eon,
                )
            )

    async def see_commitment(self, eon: int) -> None:
        """The checkpoint of `eon` is on chain and holds exactly what both wallets know."""

        async def committed() -> bool:
            for wallet in (self.payer, self.payee):
                book = await wallet.sync()
                if book.eon < eon or (wallet.book_of(eon) or book).opening is None:
                    return False
            return await asyncio.to_thread(self.home.parent_chain.checkpoint_root, eon) is not None

        await self.pace.wait_until(
            f"the checkpoint of eon {eon}",
            committed,
            most_blocks=self._eons(CHECKPOINT_MARGIN_EONS),
        )
        for wallet in (self.payer, self.payee):
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
                )
            )

    async def withdraw(self, eon: int) -> None:
        """The payee asks the contract for money and the operator sees that it is paid."""

        async def turned() -> bool:
            book = await self.payee.sync()
            return book.eon >= eon and self.payee.withdrawable() >= self.amounts.withdrawal

        await self.pace.wait_until(
            f"eon {eon}, in which the proof may be used",
            turned,
            most_blocks=self._eons(CHECKPOINT_MARGIN_EONS),
        )
        mined = await self.payee.request_withdrawal(self.amounts.withdrawal)
        requested_in = self.clock.eon_of(mined.block)
        payable = self.clock.first_payable_block(requested_in)
        chain, address = self.home.parent_chain, self.payee.keys.address
        before = await asyncio.to_thread(chain.balance, self.payee.token, address)
        self.tell(
            Chapter(
                "A withdrawal is requested on chain",
                {
                    "amount": str(self.amounts.withdrawal),
                    "transaction": "0x" + mined.transaction_hash.hex(),
                    "payable from block": str(payable),
                    "blocks left": str(payable - mined.block),
                },
                requested_in,
                checksum_address(address),
            )
        )

        async def paid() -> bool:
            now = await asyncio.to_thread(chain.balance, self.payee.token, address)
            return now == before + self.amounts.withdrawal

        await self.pace.wait_until(
            f"block {payable}, from which the operator pays",
            paid,
            most_blocks=payable - mined.block + self._eons(1),
        )
        await self.payer.sync()
        await self.payee.sync()
        self.tell(
            Chapter(
                "The withdrawal is paid out on chain",
                {
                    "amount": str(self.amounts.withdrawal),
                    "to": self.payee.keys.address_text,
                    "left off chain": str(self.payee.balance),
                },
                self.payee.book.eon,
                checksum_address(address),
            )
        )

    def _eons(self, eons: int) -> int:
        return eons * self.home.chain.blocks_per_eon
