"""A wallet's money goes round: deposit, pay, be paid, commit, withdraw, be paid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocol.address import Address
from simulation.chapters import Chapter, Narrator
from simulation.pace import Pace
from wallet.errors import Deception
from wallet.keys import Keys
from wallet.wallet import Home, Wallet


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much goes round, in smallest units of the token."""

    deposit: int
    payment: int
    repayment: int
    withdrawal: int


@dataclass(slots=True)
class Round:
    """The story of two wallets of one token."""

    narrator: Narrator
    payer: Wallet
    payee: Wallet
    amounts: Amounts

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
        """Set a round up for two keys. `tell` hears each chapter as it ends."""
        payer, payee = (Wallet(home, key, token) for key in keys)
        home.stream.listen(payer.hear)
        home.stream.listen(payee.hear)
        return cls(Narrator(home, pace, tell, {token: "ETH"}), payer, payee, amounts)

    async def play(self) -> None:
        """Play every chapter in order. Raises whatever the wallets find wrong."""
        await self.register()
        await self.deposit()
        await self.pay_both_ways()
        eon = self.payer.book.eon
        await self.see_commitment(eon + 1)
        requested = await self.narrator.request(self.payee, eon + 2, self.amounts.withdrawal)
        await self.narrator.see_paid(requested)
        await self.payer.sync()

    async def register(self) -> None:
        """Both wallets are admitted; both countersignatures are verified."""
        for wallet in (self.payer, self.payee):
            await wallet.register()
            await wallet.sync()
            self.narrator.admitted(wallet)

    async def deposit(self) -> None:
        """The payer's deposit is mined, confirmed and credited."""
        await self.narrator.deposit(self.payer, self.amounts.deposit)

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
            self.narrator.tell(
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
        await self.narrator.see_commitment(eon, (self.payer, self.payee))
