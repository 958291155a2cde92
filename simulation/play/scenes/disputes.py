"""Wallets that dispute what they were told, as suspicious as the contract allows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from chain.errors import ChainError
from protocol.address import Address
from protocol.conduits import conduit
from simulation.play.cast import Player
from simulation.play.operator_watch import Debt
from simulation.play.stage import Stage
from wallet.disputes import Disputes
from wallet.errors import Deception, NotPossible
from wallet.evidence import admitted_state, disputed_order, disputed_transfer, newest_state
from wallet.order_entry import OrderEntry
from wallet.parent_chain import Mined
from wallet.wire import Transaction

NEWEST: Final = -1


@dataclass(frozen=True, slots=True)
class StateUpdateChallenge:
    """A wallet disputes its balance of the last eon, with the newest state that it holds."""

    player: str
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Challenge, and see it answered in its window."""
        player = stage.players[self.player]
        async with player.lock:
            await player.synchronise()
            mined = await asyncio.to_thread(_balance_challenge(stage, player))
        await _see_answered(stage, player.token, player.address, player.address, mined)


def _balance_challenge(stage: Stage, player: Player) -> Callable[[], Mined]:
    """The challenge that suits the wallet: its first eon is disputed without an allotment."""
    disputes, last = Disputes(stage.home.parent_chain), player.wallet.book_of(stage.eon - 1)
    if last is None or player.wallet.registration is None:
        raise NotPossible(f"{player.name} was not there in the last eon")
    state, proof = newest_state(last), last.opening
    if proof is not None:
        return lambda: disputes.challenge_balance(player.key, player.token, proof, state)
    first = state or admitted_state(player.wallet.registration)
    return lambda: disputes.challenge_admission(player.key, player.token, first)


@dataclass(frozen=True, slots=True)
class DeliveryChallenge:
    """A payment of the last eon is disputed by who sent it or by who received it.

    `passive_form` proves it by the sender's leaf in this eon's checkpoint, and only the newest
    payment of a set; otherwise by the sender's countersigned state, and `pick` chooses one. The
    players are looked through from `player` on for a payment that nobody disputes yet.
    """

    player: str
    pick: int
    by_recipient: bool
    passive_form: bool
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Challenge once the checkpoint that can answer is there, and see it answered."""
        await stage.wait_until_committed(stage.eon)
        for sender in _from(stage, self.player):
            async with sender.lock:
                await sender.synchronise()
                transfer = self._choose(stage, sender)
                if transfer is None:
                    continue
                mined = await asyncio.to_thread(self._challenge(stage, sender, transfer))
            recipient = transfer.recipient.address
            await _see_answered(stage, sender.token, recipient, sender.address, mined)
            return
        raise NotPossible("nobody made a payment in the last eon that could be disputed")

    def _choose(self, stage: Stage, sender: Player) -> Transaction | None:
        last = sender.wallet.book_of(stage.eon - 1)
        if last is None or not last.sent:
            return None
        transfer = last.sent[NEWEST if self.passive_form else self.pick % len(last.sent)]
        entry = (stage.eon, sender.token, transfer.recipient.address, sender.address)
        if entry in stage.tally.disputed:
            return None
        stage.tally.disputed.add(entry)
        return transfer

    def _challenge(
        self, stage: Stage, sender: Player, transfer: Transaction
    ) -> Callable[[], Mined]:
        disputes = Disputes(stage.home.parent_chain)
        now, last = sender.wallet.book_of(stage.eon), sender.wallet.book_of(stage.eon - 1)
        state = newest_state(last) if last is not None else None
        if last is None or state is None or now is None or now.opening is None:
            raise Deception(f"{sender.name} was given no proof of eon {stage.eon}")
        disputed, proof = disputed_transfer(last, transfer), now.opening
        recipient = stage.player_at(sender.token, transfer.recipient.address)
        opener = recipient if self.by_recipient else sender
        if not self.passive_form:
            return lambda: disputes.challenge_delivery(opener.key, sender.token, disputed, state)
        return lambda: disputes.challenge_newest_delivery(
            opener.key, sender.token, disputed, proof, state, nonce=transfer.nonce
        )


@dataclass(frozen=True, slots=True)
class SwapChallenge:
    """A house disputes what became of one of its orders in the last eon."""

    house: str
    pick: int
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Challenge once this eon's checkpoint shows the outcome, and see it answered."""
        await stage.wait_until_committed(stage.eon)
        names = sorted(stage.houses)
        at = names.index(self.house)
        for name in (*names[at:], *names[:at]):
            house = stage.houses[name]
            async with house.lock:
                sold: list[tuple[Player, OrderEntry]] = []
                for one in house.trading():
                    sold += await _orders_of(stage, one)
                if not sold:
                    continue
                player, order = sold[self.pick % len(sold)]
                mined = await asyncio.to_thread(_swap_challenge(stage, player, order))
            pair = conduit(order.terms.sell_token, order.terms.buy_token)
            await _see_answered(stage, pair, player.address, player.address, mined)
            return
        raise NotPossible("no house had an order in the last eon")


async def _orders_of(stage: Stage, player: Player) -> list[tuple[Player, OrderEntry]]:
    """What a wallet sold, or tried to sell, in the last eon."""
    if player.wallet.registration is None:
        return []
    await player.synchronise()
    last = player.wallet.book_of(stage.eon - 1)
    orders = (entry for entry in (last.entries if last else []) if isinstance(entry, OrderEntry))
    return [(player, order) for order in orders if order.is_debit]


def _swap_challenge(stage: Stage, player: Player, order: OrderEntry) -> Callable[[], Mined]:
    now, last = player.wallet.book_of(stage.eon), player.wallet.book_of(stage.eon - 1)
    state = newest_state(last) if last is not None else None
    if last is None or state is None or now is None or now.opening is None:
        raise Deception(f"{player.name} was given no proof of eon {stage.eon}")
    disputes, disputed, proof = (
        Disputes(stage.home.parent_chain),
        disputed_order(last, order),
        now.opening,
    )
    return lambda: disputes.challenge_swap(
        player.key,
        disputed,
        proof,
        tx_set_root=state.tx_set_root,
        spent=state.spent,
        gained=state.gained,
    )


def _from(stage: Stage, name: str) -> Iterator[Player]:
    """All players of the same token, beginning with the one of that name."""
    names = sorted(stage.players)
    at = names.index(name)
    for other in (*names[at:], *names[:at]):
        player = stage.players[other]
        if player.token == stage.players[name].token and player.wallet.registration:
            yield player


async def _see_answered(
    stage: Stage, token: Address, recipient: Address, sender: Address, mined: Mined
) -> None:
    """Wait for the answer; raises `NeverHappened` when its last block is over."""
    stage.tally.count("challenges opened")

    def is_answered() -> bool:
        return not stage.gateway.challenge(token, sender=sender, recipient=recipient).is_open

    async def answered() -> bool:
        try:
            return await asyncio.to_thread(is_answered)
        except ChainError:
            return False

    stage.watch.expect(Debt("an answer", mined.block, is_answered))
    deadline = stage.clock.last_answer_block(mined.block)
    await stage.wait_for("the answer to a challenge", answered, last_block=deadline)
    stage.tally.count("challenges answered")
