"""Two people dispute what the operator says of them: three challenges, and their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from protocol.address import Address
from simulation.chapters import Chapter
from simulation.round import Round
from wallet.disputes import Disputes
from wallet.errors import Deception
from wallet.evidence import admitted_state, disputed_transfer, newest_state, transfer_in_its_set
from wallet.parent_chain import Mined
from wallet.wallet import Wallet
from wallet.wire import Transaction

OPENING_MARGIN_EONS: Final = 2

FindDuty = Callable[[Address, Address], Awaitable[str | None]]
"""The id of the operator's duty that answers a challenge, by the sender's and the recipient's
address; None where nobody can look."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A challenge on chain: what it is about, between whom, and the last block for its answer."""

    title: str
    sender: Wallet
    recipient: Wallet
    mined: Mined
    deadline: int


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer on chain: in which block, how many blocks before it was too late, by which duty."""

    opened: Opened
    block: int
    duty: str | None

    @property
    def margin_blocks(self) -> int:
        """The blocks that were left."""
        return self.opened.deadline - self.block


@dataclass(frozen=True, slots=True)
class Contest:
    """A wallet disputes its balance, and two payments as undelivered, one in each form."""

    round: Round
    find_duty: FindDuty

    async def play(self) -> list[Answered]:
        """Play every chapter; raises `NeverHappened` when a challenge is not answered in time."""
        await self.round.register()
        await self.round.deposit()
        await self.round.narrator.early_in_an_eon()
        await self.round.pay_both_ways()
        eon = self.round.payer.book.eon
        await self.round.see_commitment(eon + 1)
        return await self.challenge(eon)

    async def challenge(self, eon: int) -> list[Answered]:
        """Dispute what happened in `eon`, in the eon after it, and see every answer."""
        narrator, clock = self.round.narrator, self.round.narrator.clock
        opens = clock.first_block(eon + 1) + clock.epoch_blocks + 1
        chain = narrator.home.parent_chain

        async def is_open() -> bool:
            return await asyncio.to_thread(chain.block) >= opens

        await narrator.pace.wait_until(
            f"block {opens}, from which the contract takes challenges",
            is_open,
            most_blocks=narrator.eons(OPENING_MARGIN_EONS),
        )
        opened = [
            await asyncio.to_thread(opening, eon)
            for opening in (self._dispute_balance, self._dispute_active, self._dispute_passive)
        ]
        for one in opened:
            self._tell_opened(one)
        return [await self._see_answered(one) for one in opened]

    def _dispute_balance(self, eon: int) -> Opened:
        """The payer's balance: by its proof of the eon, or by its admission in its first one."""
        payer = self.round.payer
        book = payer.book_of(eon)
        if book is None or payer.registration is None:
            raise Deception(f"the payer has no record of eon {eon}")
        state, disputes = newest_state(book), self._disputes
        key, token = payer.keys.private_key, payer.token
        if book.opening is not None:
            mined = disputes.challenge_balance(key, token, book.opening, state)
        else:
            first = state or admitted_state(payer.registration)
            mined = disputes.challenge_admission(key, token, first)
        return self._opened("a balance (state update)", payer, payer, mined)

    def _dispute_active(self, eon: int) -> Opened:
        """The payer's payment, with the state that it signed to make it."""
        payer, payee = self.round.payer, self.round.payee
        sent = _newest_payment(payer, eon)
        disputed, state = transfer_in_its_set(payer.home.chain, sent)
        mined = self._disputes.challenge_delivery(
            payer.keys.private_key, payer.token, disputed, state
        )
        return self._opened("a delivery, by the sender's state (active)", payer, payee, mined)

    def _dispute_passive(self, eon: int) -> Opened:
        """What the payee paid back, with its leaf in the next checkpoint; the recipient asks."""
        payer, payee = self.round.payer, self.round.payee
        back = _newest_payment(payee, eon)
        book, now = payee.book_of(eon), payee.book_of(eon + 1)
        state = None if book is None else newest_state(book)
        if book is None or state is None or now is None or now.opening is None:
            raise Deception(f"the payee was given no proof of eon {eon + 1}")
        mined = self._disputes.challenge_newest_delivery(
            payer.keys.private_key,
            payee.token,
            disputed_transfer(book, back),
            now.opening,
            state,
            nonce=back.nonce,
        )
        return self._opened("a delivery, by the checkpoint's leaf (passive)", payee, payer, mined)

    @property
    def _disputes(self) -> Disputes:
        return Disputes(self.round.narrator.home.parent_chain)

    def _opened(self, title: str, sender: Wallet, recipient: Wallet, mined: Mined) -> Opened:
        deadline = self.round.narrator.clock.last_answer_block(mined.block)
        return Opened(title, sender, recipient, mined, deadline)

    def _tell_opened(self, opened: Opened) -> None:
        self.round.narrator.tell(
            Chapter(
                f"A wallet challenges {opened.title}",
                {
                    "sender": opened.sender.keys.address_text,
                    "recipient": opened.recipient.keys.address_text,
                    "transaction": "0x" + opened.mined.transaction_hash.hex(),
                    "block": str(opened.mined.block),
                    "to be answered by block": str(opened.deadline),
                },
            )
        )

    async def _see_answered(self, opened: Opened) -> Answered:
        """Wait for an answer, at most until the last block that can hold it."""
        disputes, chain = self._disputes, self.round.narrator.home.parent_chain
        token = opened.sender.token
        sender, recipient = opened.sender.keys.address, opened.recipient.keys.address
        seen_at = 0

        async def is_answered() -> bool:
            nonlocal seen_at
            seen_at = await asyncio.to_thread(chain.block)
            return not await asyncio.to_thread(
                disputes.is_open, token, sender=sender, recipient=recipient
            )

        await self.round.narrator.pace.wait_until(
            f"the answer to the challenge of {opened.title}",
            is_answered,
            most_blocks=opened.deadline - opened.mined.block,
        )
        block = await asyncio.to_thread(
            disputes.answered_in, token, recipient, sender, since=opened.mined.block
        )
        answered = Answered(
            opened,
            block or seen_at,
            await self.find_duty(sender, recipient),
        )
        self.round.narrator.tell(
            Chapter(
                f"Answered: {opened.title}",
                {
                    "answered in block": str(answered.block),
                    "last block for it": str(opened.deadline),
                    "margin in blocks": str(answered.margin_blocks),
                    "workflow": answered.duty or "not known",
                },
                duty=answered.duty,
            )
        )
        return answered


def _newest_payment(wallet: Wallet, eon: int) -> Transaction:
    book = wallet.book_of(eon)
    if book is None or not book.sent:
        raise Deception(f"{wallet.keys.address_text} has no payment of eon {eon}")
    return book.sent[-1]
