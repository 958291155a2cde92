"""What a wallet shows the contract leads to the root that the operator signed."""

from __future__ import annotations

import pytest

from protocol.encoding import ZERO_HASH
from protocol.orders import OrderTerms
from protocol.transfers import LAST_POSITION, tagged_transfer_leaf, transfer_tag
from protocol.trees.plain import verify_path
from tests.ledger.world import ETH, LQD
from tests.wallet.conftest import Town
from wallet.book import EonBook
from wallet.disputes import DisputedOrder, DisputedTransfer
from wallet.errors import NotPossible
from wallet.evidence import admitted_state, disputed_order, disputed_transfer, newest_state
from wallet.order_entry import OrderEntry
from wallet.order_signing import Wish


def leads_to_the_newest_state(book: EonBook, shown: DisputedTransfer | DisputedOrder) -> bool:
    state = newest_state(book)
    assert state is not None
    if isinstance(shown, DisputedTransfer):
        leaf = tagged_transfer_leaf(
            counterparty=shown.recipient,
            amount=shown.amount,
            recipient_trail=shown.recipient_trail,
            tag=shown.tag,
        )
    else:
        tokens, amounts = (shown.sell_token, shown.buy_token), (shown.sell, shown.buy)
        leaf = OrderTerms(*tokens, shown.buy_trail, *amounts, shown.nonce).leaf(shown.start)
    return verify_path(leaf, shown.index, shown.siblings, state.tx_set_root)


def orders_of(book: EonBook) -> list[OrderEntry]:
    return [entry for entry in book.entries if isinstance(entry, OrderEntry)]


def assert_all_lead_to_the_newest_state(book: EonBook) -> None:
    shown = [disputed_transfer(book, transfer) for transfer in book.sent]
    assert len(shown) + len(orders_of(book)) == len(book.entries)
    for one in (*shown, *(disputed_order(book, order) for order in orders_of(book))):
        assert leads_to_the_newest_state(book, one)


async def test_transfers_and_orders_lead_to_the_root_of_the_newest_state(town: Town) -> None:
    trader = await town.trader("seller", eth=1000)
    payee = await town.trader("payee")
    wallet = trader.wallet(ETH)
    await wallet.sync()
    assert newest_state(wallet.book) is None
    registration = wallet.registration
    assert registration is not None
    assert admitted_state(registration).tx_set_root == ZERO_HASH
    for amount in (100, 200):
        await wallet.pay(payee.keys.address, amount)
        assert_all_lead_to_the_newest_state(wallet.book)
    await trader.place(ETH, LQD, Wish(700, 350))
    assert_all_lead_to_the_newest_state(wallet.book)
    await trader.freeze()
    await trader.cancel()
    assert_all_lead_to_the_newest_state(wallet.book)
    await wallet.pay(payee.keys.address, 5)
    assert_all_lead_to_the_newest_state(wallet.book)
    buyer = trader.wallet(LQD)
    with pytest.raises(NotPossible, match="the wallet that sells"):
        disputed_order(buyer.book, orders_of(buyer.book)[0])


async def test_only_the_newest_transfer_lacks_its_position(town: Town) -> None:
    payer, payee = await town.trader("payer", eth=1000), await town.trader("payee")
    wallet = payer.wallet(ETH)
    for amount in (1, 2):
        await wallet.pay(payee.keys.address, amount)
    older, newest = wallet.book.sent
    tags = [disputed_transfer(wallet.book, transfer).tag for transfer in wallet.book.sent]
    assert tags == [
        transfer_tag(older.position, older.nonce),
        transfer_tag(LAST_POSITION, newest.nonce),
    ]
    receiver = payee.wallet(ETH)
    await receiver.sync()
    with pytest.raises(NotPossible, match="not in the wallet's set"):
        disputed_transfer(receiver.book, older)
