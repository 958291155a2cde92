"""A wallet that is watched: each checkpoint is held against the chain, each wrong is disputed.

Disputes open in the second quarter of an eon, about the eon before. What cannot be answered halts
the chain for good, and then everybody takes out what the last undisputed checkpoint gives him.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.transfers import transfer_leaf
from protocol.trees.passive import PassiveLeaf, passive_root, verify_passive_proof
from wallet.book import EonBook
from wallet.disputes import Disputes
from wallet.errors import Deception, NotPossible, Undelivered, WrongAllotment
from wallet.evidence import admitted_state, disputed_order, newest_state, transfer_in_its_set
from wallet.order_entry import OrderEntry
from wallet.parent_chain import Mined
from wallet.wallet import Wallet
from wallet.wire import AllotmentProof, Transaction


class Watcher:
    """Watches the wallets of one address. Whoever paid one of them may `show` it the transfer."""

    def __init__(self, wallets: Sequence[Wallet]) -> None:
        self._wallets = {wallet.token: wallet for wallet in wallets}
        self._shown: dict[int, Transaction] = {}

    def show(self, transfer: Transaction) -> None:
        """Take a receipt that its sender shows, verified, whatever the operator says of it."""
        wallet = self._wallets.get(transfer.recipient.token)
        if wallet is None or transfer.recipient.address != wallet.keys.address:
            raise NotPossible(f"transfer {transfer.id} is not to a watched wallet")
        transfer_in_its_set(wallet.home.chain, transfer)
        self._shown[transfer.id] = transfer

    async def look(self, token: Address) -> Deception | None:
        """Read a wallet and hold its newest checkpoint against the chain; what is wrong, if
        anything is."""
        wallet = self._wallets[token]
        try:
            book = await wallet.sync()
            if book.opening is not None:
                await wallet.verify_on_chain(book.eon)
            withheld = [t.id for last in self._books(wallet) for t in self._withheld(last)]
            if withheld:
                raise Undelivered(f"countersigned transfers are withheld: {withheld}")
        except Deception as caught:
            return caught
        return None

    def _books(self, wallet: Wallet) -> list[EonBook]:
        books = (wallet.book_of(eon) for eon in (wallet.book.eon - 1, wallet.book.eon))
        return [book for book in books if book is not None]

    def _withheld(self, book: EonBook) -> list[Transaction]:
        """Transfers of an eon that their senders showed, and the operator did not."""
        return [
            shown
            for shown in self._shown.values()
            if (shown.eon, shown.recipient.token) == (book.eon, book.wallet.token)
            and shown.id not in book.received
        ]

    async def dispute(self, token: Address, caught: Deception) -> list[Mined]:
        """Challenge what was caught, in the eon after the one that it is about.

        Missing receipts as undelivered, an order's missing proceeds as a swap, all else as a wrong
        balance. Raises `ChainFailure` if the contract takes no challenge now.
        """
        wallet = self._wallets[token]
        eon = await asyncio.to_thread(wallet.home.parent_chain.eon)
        last = wallet.book_of(eon - 1)
        if last is None:
            raise NotPossible(f"the wallet has no record of eon {eon - 1}")
        transfers = await self._undelivered(wallet, last, caught)
        if transfers:
            return [await self._dispute_delivery(wallet, transfer) for transfer in transfers]
        if isinstance(caught, WrongAllotment) and _is_about_an_order(last, caught):
            return [await self._dispute_order(last, caught)]
        return [await self._dispute_balance(wallet, last)]

    async def _undelivered(
        self, wallet: Wallet, last: EonBook, caught: Deception
    ) -> list[Transaction]:
        """The receipts that are not proven to be among those that the checkpoint holds."""
        withheld = self._withheld(last)
        if not isinstance(caught, WrongAllotment):
            return withheld
        said, known = caught.proof, caught.known
        if (said.passive_root, said.passive_amount) == (known.passive_root, known.passive_amount):
            return withheld
        unproven = [
            receipt
            for receipt in last.receipts
            if not _is_delivered(await wallet.home.api.transaction(receipt.id), said)
        ]
        return withheld + _one_of_each_sender(unproven, last.receipts, said)

    async def _dispute_balance(self, wallet: Wallet, last: EonBook) -> Mined:
        disputes, key = Disputes(wallet.home.parent_chain), wallet.keys.private_key
        state = newest_state(last)
        if last.opening is not None:
            return await asyncio.to_thread(
                disputes.challenge_balance, key, wallet.token, last.opening, state
            )
        if state is None:
            if wallet.registration is None:
                raise NotPossible("the wallet is not registered")
            state = admitted_state(wallet.registration)
        return await asyncio.to_thread(disputes.challenge_admission, key, wallet.token, state)

    async def _dispute_delivery(self, wallet: Wallet, transfer: Transaction) -> Mined:
        disputes = Disputes(wallet.home.parent_chain)
        disputed, state = transfer_in_its_set(wallet.home.chain, transfer)
        return await asyncio.to_thread(
            disputes.challenge_delivery, wallet.keys.private_key, wallet.token, disputed, state
        )

    async def _dispute_order(self, last: EonBook, caught: WrongAllotment) -> Mined:
        """With the leaf of the wallet that sold in the checkpoint that the dispute is about."""
        order = last.order
        seller = self._wallets.get(order.row.debit.token) if order else None
        if order is None or seller is None:
            raise NotPossible("the wallet that sold is not watched")
        proof: AllotmentProof | None = caught.proof
        if not order.is_debit:
            proof = (await seller.sync()).opening
        sold = seller.book_of(last.eon)
        mine = next((e for e in sold.entries if e.id == order.id), None) if sold else None
        if sold is None or proof is None or not isinstance(mine, OrderEntry):
            raise NotPossible("the order is not in the set of the wallet that sold")
        state = newest_state(sold)
        if state is None:
            raise NotPossible("the wallet that sold has no state")
        return await asyncio.to_thread(
            Disputes(seller.home.parent_chain).challenge_swap,
            seller.keys.private_key,
            disputed_order(sold, mine),
            proof,
            tx_set_root=state.tx_set_root,
            spent=state.spent,
            gained=state.gained,
        )


def _is_about_an_order(last: EonBook, caught: WrongAllotment) -> bool:
    """Whether the leaf holds what its state shows, and not what the order traded or left."""
    order, said = last.order, caught.proof
    if order is None or said.active_digest != caught.known.active_digest:
        return False
    state, (spent, gained) = order.committed, last.totals
    shown = last.balance - gained + spent + state.gained - state.spent
    return said.balance >= shown


def _one_of_each_sender(
    unproven: Sequence[Transaction], receipts: Sequence[Transaction], leaf: AllotmentProof
) -> list[Transaction]:
    """Which receipts to dispute: the contract hears one of each sender in an eon.

    An operator may refuse to prove deliveries, too; then rather the one whose absence alone
    explains the leaf.
    """
    chosen: dict[Address, Transaction] = {}
    for receipt in unproven:
        others = [other for other in receipts if other.id != receipt.id]
        if receipt.sender.address not in chosen or _receipts_root(others) == leaf.passive_root:
            chosen[receipt.sender.address] = receipt
    return list(chosen.values())


def _receipts_root(receipts: Sequence[Transaction]) -> bytes:
    """The passive root of these receipts alone, one after the other."""
    edge, leaves = 0, []
    for receipt in receipts:
        leaves.append(PassiveLeaf(_leaf(receipt, edge), edge, edge + receipt.amount))
        edge += receipt.amount
    return passive_root(leaves) if leaves else ZERO_HASH


def _leaf(receipt: Transaction, position: int) -> bytes:
    return transfer_leaf(
        counterparty=receipt.sender.address,
        amount=receipt.amount,
        recipient_trail=receipt.recipient.trail,
        position=position,
        nonce=receipt.nonce,
    )


def _is_delivered(transfer: Transaction, leaf: AllotmentProof) -> bool:
    delivery = transfer.delivery
    if delivery is None or delivery.values is None:
        return False
    return verify_passive_proof(
        PassiveLeaf(
            _leaf(transfer, transfer.position),
            transfer.position,
            transfer.position + transfer.amount,
        ),
        delivery.index,
        delivery.chain,
        delivery.values,
        root=leaf.passive_root,
        passive_amount=leaf.passive_amount,
    )
