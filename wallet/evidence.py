"""What a wallet puts before the contract in a dispute: states, transfers and orders of its book."""

from __future__ import annotations

from protocol.encoding import ZERO_HASH
from protocol.transfers import LAST_POSITION, transfer_tag
from protocol.trees import plain
from wallet.book import Entry, EonBook
from wallet.disputes import Countersigned, DisputedOrder, DisputedTransfer
from wallet.errors import NotPossible
from wallet.order_entry import OrderEntry
from wallet.verification import ChainIdentity, WalletIdentity, outgoing_leaf, verify_signed
from wallet.wire import Registration, SignedState, Transaction


def newest_state(book: EonBook) -> Countersigned | None:
    """The state that the checkpoint after an eon holds, None if the wallet signed none in it."""
    if not book.entries:
        return None
    return _countersigned(book.wallet.trail, _committed(book.entries[-1]))


def admitted_state(registration: Registration) -> Countersigned:
    """The state with which a wallet begins: the operator signed it at the admission."""
    trail, signature = registration.trail, registration.operator_authorization
    if trail is None or signature is None:
        raise NotPossible("the admission is not countersigned")
    return Countersigned(trail, ZERO_HASH, 0, 0, signature)


def disputed_transfer(sender: EonBook, transfer: Transaction) -> DisputedTransfer:
    """A transfer's place in its sender's newest set; only the newest leaf lacks its position."""
    index = _index(sender, transfer.id)
    is_newest = index == len(sender.entries) - 1
    position = LAST_POSITION if is_newest else transfer.position
    return DisputedTransfer(
        transfer.sender.address,
        transfer.recipient.address,
        transfer.recipient.trail,
        transfer.amount,
        transfer_tag(position, transfer.nonce),
        index,
        plain.path(_newest_set(sender), index),
    )


def transfer_in_its_set(
    chain: ChainIdentity, transfer: Transaction
) -> tuple[DisputedTransfer, Countersigned]:
    """A transfer as the newest leaf of the state that its sender signed to make it.

    Sender and recipient both have all of it. Raises `Deception` if it does not hold.
    """
    sender = WalletIdentity(transfer.sender.token, transfer.sender.address, transfer.sender.trail)
    verify_signed(chain, sender, transfer)
    state = transfer.state
    if state.path is None or state.index is None:
        raise NotPossible(f"transfer {transfer.id} has no place in its sender's set")
    disputed = DisputedTransfer(
        sender.address,
        transfer.recipient.address,
        transfer.recipient.trail,
        transfer.amount,
        transfer_tag(LAST_POSITION, transfer.nonce),
        state.index,
        state.path,
    )
    return disputed, _countersigned(sender.trail, state)


def disputed_order(seller: EonBook, order: OrderEntry) -> DisputedOrder:
    """An order's place in the newest set of the wallet that sells."""
    if not order.is_debit:
        raise NotPossible("an order is disputed by the wallet that sells")
    index, terms = _index(seller, order.id), order.terms
    is_newest = index == len(seller.entries) - 1
    return DisputedOrder(
        terms.sell_token,
        terms.buy_token,
        terms.recipient_trail,
        terms.amount,
        terms.amount_swapped,
        order.committed_start if is_newest else order.start,
        terms.nonce,
        index,
        plain.path(_newest_set(seller), index),
    )


def _index(book: EonBook, entry_id: int) -> int:
    ids = [entry.id for entry in book.entries]
    if entry_id not in ids:
        raise NotPossible(f"transaction {entry_id} is not in the wallet's set of eon {book.eon}")
    return ids.index(entry_id)


def _newest_set(book: EonBook) -> list[bytes]:
    """The leaves of the set in the newest state."""
    *older, newest = book.entries
    leaves = [
        entry.leaf if isinstance(entry, OrderEntry) else outgoing_leaf(entry, entry.position)
        for entry in older
    ]
    if isinstance(newest, OrderEntry):
        return [*leaves, newest.committed_leaf]
    return [*leaves, outgoing_leaf(newest, LAST_POSITION)]


def _committed(entry: Entry) -> SignedState:
    return entry.committed if isinstance(entry, OrderEntry) else entry.state


def _countersigned(trail: int, state: SignedState) -> Countersigned:
    if state.operator_signature is None:
        raise NotPossible("the newest state is not countersigned")
    return Countersigned(
        trail, state.tx_set_root, state.spent, state.gained, state.operator_signature
    )
