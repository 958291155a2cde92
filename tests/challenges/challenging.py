"""Challenges as the wallets of the tests open them, from what the operator has given them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import select

from ledger.orders.sets import read_sets
from ledger.proofs import allotment_proof
from models import ActiveState, Transfer
from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.transfers import LAST_POSITION, transfer_tag
from protocol.trees import plain
from tests.challenges.live import LiveBank, LiveWorld, private_key
from tests.ledger.world import ETH
from wallet.disputes import Countersigned, DisputedOrder, DisputedTransfer, Disputes
from wallet.parent_chain import Mined
from wallet.wire import AllotmentProof


def words(joined: bytes) -> list[bytes]:
    return [joined[i : i + 32] for i in range(0, len(joined), 32)]


class Challengers:
    """Named wallets that challenge; each call opens one in a block of its own."""

    def __init__(self, bank: LiveBank) -> None:
        self.bank = bank
        self.world: LiveWorld = bank.world
        self._together = False

    def in_one_block(self, *openings: Callable[[], Mined]) -> None:
        """Open several challenges that the same block mines."""
        self._together = True
        with ThreadPoolExecutor(len(openings)) as threads:
            opened = [threads.submit(one) for one in openings]
            while self._pending() < len(openings):
                time.sleep(0.02)
            self.world.chain.mine()
            for one in opened:
                one.result()
        self._together = False
        self.world.follow()

    def _pending(self) -> int:
        status: Any = self.world.chain.rpc("txpool_status")
        return int(status["pending"], 16)

    def _mining(self) -> AbstractContextManager[None]:
        return nullcontext() if self._together else self.world.chain.mining_at_once()

    def _follow(self) -> None:
        if not self._together:
            self.world.follow()

    @property
    def disputes(self) -> Disputes:
        return Disputes(self.world.parent_chain)

    def proof(self, name: str, token: Address, eon: int) -> AllotmentProof | None:
        """The wallet's allotment of `eon`, as the wire carries it."""
        with self.world.begin() as session:
            found = allotment_proof(session, self.bank.wallet(name, token).id, eon)
        if found is None:
            return None
        return AllotmentProof(
            eon,
            found.left,
            found.right,
            list(found.hashes),
            list(found.membership_hashes),
            list(found.values),
            found.trail,
            found.active_state_digest or ZERO_HASH,
            None,
            found.passive_root or ZERO_HASH,
            found.passive_amount,
            found.passive_marker,
        )

    def states(self, name: str, token: Address, eon: int) -> list[ActiveState]:
        """The wallet's countersigned states of `eon`, oldest first."""
        wallet = self.bank.wallet(name, token)
        with self.world.begin() as session:
            rows = list(
                session.scalars(
                    select(ActiveState)
                    .where(
                        ActiveState.wallet_id == wallet.id,
                        ActiveState.eon == eon,
                        ActiveState.operator_signature.is_not(None),
                    )
                    .order_by(ActiveState.spent + ActiveState.gained, ActiveState.id)
                )
            )
            session.expunge_all()
        return rows

    def countersigned(self, name: str, token: Address, state: ActiveState) -> Countersigned:
        return Countersigned(
            self.bank.wallet(name, token).trail_identifier or 0,
            bytes(state.tx_set_hash),
            state.spent,
            state.gained,
            bytes(state.operator_signature or b""),
        )

    def admission(self, name: str, token: Address) -> Countersigned:
        """The operator's signature on the admission: the empty state."""
        wallet = self.bank.wallet(name, token)
        signature = bytes(wallet.operator_authorization or b"")
        return Countersigned(wallet.trail_identifier or 0, ZERO_HASH, 0, 0, signature)

    def dispute_balance(self, name: str, token: Address = ETH) -> Mined:
        """Dispute the balance of the last eon, with the allotment if there was one."""
        self.world.fund(name)
        eon = self.world.eon - 1
        states = self.states(name, token, eon)
        state = self.countersigned(name, token, states[-1]) if states else None
        proof = self.proof(name, token, eon)
        with self._mining():
            if proof is None:
                mined = self.disputes.challenge_admission(
                    private_key(name), token, state or self.admission(name, token)
                )
            else:
                mined = self.disputes.challenge_balance(private_key(name), token, proof, state)
        self._follow()
        return mined

    def transfer(self, sender: str, nonce: int, token: Address, eon: int) -> Transfer:
        payer = self.bank.wallet(sender, token)
        with self.world.begin() as session:
            row = session.scalars(
                select(Transfer).where(
                    Transfer.sender_id == payer.id, Transfer.eon == eon, Transfer.nonce == nonce
                )
            ).one()
            session.expunge_all()
        return row

    def dispute_delivery(
        self,
        opener: str,
        sender: str,
        recipient: str,
        nonce: int,
        *,
        token: Address = ETH,
        newest: bool,
    ) -> Mined:
        """Dispute a delivery with a countersigned state of the sender.

        `newest`: the state in which the transfer is the newest leaf, whose position is unknown;
        otherwise the sender's last state, in which every older leaf has its true one.
        """
        self.world.fund(opener)
        eon = self.world.eon - 1
        row = self.transfer(sender, nonce, token, eon)
        disputed, state = self._disputed(row, sender, recipient, token, newest=newest)
        with self._mining():
            mined = self.disputes.challenge_delivery(
                private_key(opener), token, disputed, self.countersigned(sender, token, state)
            )
        self._follow()
        return mined

    def _disputed(
        self, row: Transfer, sender: str, recipient: str, token: Address, *, newest: bool
    ) -> tuple[DisputedTransfer, ActiveState]:
        payer, payee = self.bank.wallet(sender, token), self.bank.wallet(recipient, token)
        states = self.states(sender, token, row.eon)
        own = next(state for state in states if state.id == row.sender_active_state_id)
        siblings: Sequence[bytes]
        if newest:
            state, position, siblings = own, LAST_POSITION, words(bytes(own.tx_set_proof_hashes))
        else:
            state, position = states[-1], row.position or 0
            with self.world.begin() as session:
                [entries] = read_sets(session, [(payer.id, row.eon)]).values()
            siblings = plain.path([entry.leaf for entry in entries], own.tx_set_index)
        disputed = DisputedTransfer(
            bytes(payer.address),
            bytes(payee.address),
            payee.trail_identifier or 0,
            row.amount,
            transfer_tag(position, row.nonce) if row.passive else row.nonce,
            own.tx_set_index,
            siblings,
        )
        return disputed, state

    def dispute_committed_delivery(
        self, opener: str, sender: str, recipient: str, nonce: int, *, token: Address = ETH
    ) -> Mined:
        """Dispute the newest transfer of a set with the sender's leaf in this eon's checkpoint."""
        self.world.fund(opener)
        eon = self.world.eon
        row = self.transfer(sender, nonce, token, eon - 1)
        disputed, state = self._disputed(row, sender, recipient, token, newest=True)
        proof = self.proof(sender, token, eon)
        assert proof is not None
        with self._mining():
            mined = self.disputes.challenge_newest_delivery(
                private_key(opener),
                token,
                disputed,
                proof,
                self.countersigned(sender, token, state),
                nonce=nonce,
            )
        self._follow()
        return mined

    def dispute_order(self, name: str, order: Transfer, sold: Address, bought: Address) -> Mined:
        """Dispute what became of an order's copy of the last eon."""
        self.world.fund(name)
        eon = self.world.eon
        assert order.eon == eon - 1
        debit, credit = self.bank.wallet(name, sold), self.bank.wallet(name, bought)
        with self.world.begin() as session:
            [entries] = read_sets(session, [(debit.id, order.eon)]).values()
            committed = allotment_proof(session, debit.id, eon)
            assert committed is not None and committed.active_state_id is not None
            state = session.get_one(ActiveState, committed.active_state_id)
            session.expunge(state)
        index = next(i for i, one in enumerate(entries) if one.transfer_id == order.id)
        start = entries[index].start
        proof = self.proof(name, sold, eon)
        assert proof is not None and start is not None
        disputed = DisputedOrder(
            sold,
            bought,
            credit.trail_identifier or 0,
            order.amount,
            order.amount_swapped or 0,
            start,
            order.nonce,
            index,
            plain.path([one.leaf for one in entries], index),
        )
        with self._mining():
            mined = self.disputes.challenge_swap(
                private_key(name),
                disputed,
                proof,
                tx_set_root=bytes(state.tx_set_hash),
                spent=state.spent,
                gained=state.gained,
            )
        self._follow()
        return mined
