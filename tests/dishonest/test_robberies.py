"""What a dishonest operator may try, how a watching wallet sees it, and why it cannot win.

Each lie is committed on the contract by an operator whose ledger shows it as the truth. The wallet
finds it, challenges with what was countersigned, no answer holds, and the chain halts: then the
wallet takes out what the last undisputed checkpoint gives it.
"""

from __future__ import annotations

from typing import Any

import pytest

from contracts.development import DevelopmentAccount
from ledger.checkpoint.leaves import Leaf, TokenTurn
from tests.api.serving import Site
from tests.contracts.harness import A, B, D
from tests.dishonest.kit import Rogue, leaf_of
from tests.end_to_end.lying_operator import lying as lying_in_words
from wallet.disputes import Disputes
from wallet.errors import Deception, Undelivered, WrongAllotment
from wallet.evidence import transfer_in_its_set
from wallet.keys import Keys
from wallet.operator_api import OperatorApi
from wallet.order_signing import Wish
from wallet.trader import Fate, Trader
from wallet.wallet import Home, Wallet
from wallet.watching import Watcher

FUNDS = 1000
pytestmark = pytest.mark.asyncio


async def admitted(home: Home, account: DevelopmentAccount, token: bytes) -> Wallet:
    wallet = Wallet(home, Keys.from_private_key(account.private_key), token)
    await wallet.register()
    return wallet


async def three(rogue: Rogue, home: Home) -> tuple[Wallet, Wallet, Wallet]:
    """A, B and D with money that root(2) shows; it is eon 2."""
    wallets = [await admitted(home, account, rogue.ether) for account in (A, B, D)]
    for account in (A, B, D):
        rogue.deposit(account, rogue.ether, FUNDS)
    rogue.turn()
    for wallet in wallets:
        await wallet.sync()
    return wallets[0], wallets[1], wallets[2]


async def wins(rogue: Rogue, wallet: Wallet, watcher: Watcher, caught: Deception) -> list[str]:
    """Dispute what was caught; nothing answers it, and the wallet recovers what it had."""
    rogue.let_disputes_begin()
    [dispute] = await watcher.dispute(wallet.token, caught)
    reasons = rogue.answers(dispute)
    assert reasons and all(reasons)
    assert rogue.is_halted()
    book = wallet.book_of(rogue.world.eon - 1)
    assert book is not None and book.opening is not None
    chain, holder = wallet.home.parent_chain, wallet.keys.address
    before = chain.balance(wallet.token, holder)
    # Somebody else pays for it: the holder's own fees would blur what was paid out.
    Disputes(chain).recover(B.private_key, wallet.token, holder, book.opening)
    assert chain.balance(wallet.token, holder) == before + book.opening.balance
    return reasons


def give(source: DevelopmentAccount, target: DevelopmentAccount, amount: int, token: bytes) -> Any:
    """Let the next checkpoint move money from one leaf to another."""

    def lie(turn: TokenTurn, leaves: list[Leaf]) -> None:
        if turn.address == token:
            leaf_of(leaves, source.address).balance -= amount
            leaf_of(leaves, target.address).balance += amount

    return lie


async def test_a_flipped_leaf(rogue: Rogue, home: Home) -> None:
    alice, bob, _ = await three(rogue, home)
    await alice.pay(bob.keys.address, 300)
    rogue.turn(give(A, B, 1, rogue.ether))
    watcher = Watcher([alice])
    caught = await watcher.look(rogue.ether)
    assert isinstance(caught, WrongAllotment)
    assert (caught.proof.balance, caught.known.balance) == (699, 700)
    assert await Watcher([bob]).look(rogue.ether) is not None
    assert "B" in (await wins(rogue, alice, watcher, caught))[0]


async def test_a_flipped_leaf_of_a_wallet_that_did_nothing(rogue: Rogue, home: Home) -> None:
    alice, *_ = await three(rogue, home)
    rogue.turn(give(A, B, FUNDS, rogue.ether))
    watcher = Watcher([alice])
    caught = await watcher.look(rogue.ether)
    assert caught is not None
    await wins(rogue, alice, watcher, caught)


async def test_a_rolled_back_state(rogue: Rogue, home: Home) -> None:
    alice, bob, dora = await three(rogue, home)
    first = await alice.pay(bob.keys.address, 300)
    second = await alice.pay(dora.keys.address, 200)

    def lie(turn: TokenTurn, leaves: list[Leaf]) -> None:
        if turn.address == rogue.ether:
            payer, payee = leaf_of(leaves, A.address), leaf_of(leaves, D.address)
            payer.state_id, payer.state_digest = rogue.state_of(first.id)
            payer.passive_marker, payer.balance = first.position, payer.balance + 200
            payee.balance, payee.passive_root, payee.passive_amount = FUNDS, None, 0

    rogue.turn(lie)
    payer, payee = Watcher([alice]), Watcher([dora])
    caught = await payer.look(rogue.ether)
    assert isinstance(caught, WrongAllotment) and caught.proof.balance == 700
    robbed = await payee.look(rogue.ether)
    assert isinstance(robbed, WrongAllotment)
    rogue.let_disputes_begin()
    [dispute] = await payee.dispute(rogue.ether, robbed)
    assert all(rogue.answers(dispute))
    assert second.recipient.address == D.address
    await wins(rogue, alice, payer, caught)


async def test_a_withheld_delivery(rogue: Rogue, home: Home, site: Site) -> None:
    alice, bob, dora = await three(rogue, home)
    sent = await bob.pay(alice.keys.address, 250)
    known = await dora.pay(alice.keys.address, 5)

    def withhold(_path: str, body: Any) -> Any:
        if isinstance(body, dict) and "transactions" in body:
            rows = [row for row in body["transactions"] if row["id"] != sent.id]
            for row in rows:
                row["position"] = "0" if row["id"] == known.id else row["position"]
            return body | {"transactions": rows}
        return body

    def lie(turn: TokenTurn, leaves: list[Leaf]) -> None:
        if turn.address == rogue.ether:
            leaf_of(leaves, A.address).balance -= 250
            leaf_of(leaves, D.address).balance += 250
            rogue.receive_only(leaf_of(leaves, A.address), known.id)

    rogue.turn(lie)
    async with lying_in_words(site.url) as (liar, url), OperatorApi(url) as api:
        liar.lie = withhold
        deceived = Wallet(
            Home(api, home.stream, home.parent_chain, home.chain), alice.keys, rogue.ether
        )
        assert alice.registration is not None
        deceived.accept_registration(alice.registration)
        watcher = Watcher([deceived])
        # What nobody showed it, it cannot miss.
        assert await watcher.look(rogue.ether) is None
        watcher.show(sent)
        caught = await watcher.look(rogue.ether)
        assert isinstance(caught, Undelivered)
        await wins(rogue, deceived, watcher, caught)


async def test_an_over_claim(rogue: Rogue, home: Home) -> None:
    alice, bob, _ = await three(rogue, home)
    await bob.pay(alice.keys.address, 10)

    def lie(turn: TokenTurn, leaves: list[Leaf]) -> None:
        if turn.address == rogue.ether:
            leaf_of(leaves, B.address).balance += 10**18

    rogue.turn(lie)
    watcher = Watcher([alice])
    caught = await watcher.look(rogue.ether)
    assert caught is not None and "allots" in str(caught)
    assert alice.book.opening is not None and alice.book.opening.balance == FUNDS + 10
    await wins(rogue, alice, watcher, caught)


async def test_money_that_is_allotted_twice(rogue: Rogue, home: Home) -> None:
    alice, *_ = await three(rogue, home)
    rogue.turn_showing_another_root_than_committed(give(A, B, FUNDS, rogue.ether))
    watcher = Watcher([alice])
    caught = await watcher.look(rogue.ether)
    assert caught is not None and "root on chain" in str(caught)
    assert alice.book.opening is not None and alice.book.opening.balance == FUNDS
    await wins(rogue, alice, watcher, caught)


async def test_a_delivery_shielded_by_an_accomplice(rogue: Rogue, home: Home) -> None:
    alice, bob, _ = await three(rogue, home)
    delivered = await bob.pay(alice.keys.address, 100)
    withheld = await bob.pay(alice.keys.address, 50)

    def lie(turn: TokenTurn, leaves: list[Leaf]) -> None:
        if turn.address == rogue.ether:
            leaf_of(leaves, A.address).balance -= 50
            leaf_of(leaves, B.address).balance += 50
            rogue.receive_only(leaf_of(leaves, A.address), delivered.id)

    rogue.turn(lie)
    watcher = Watcher([alice])
    caught = await watcher.look(rogue.ether)
    assert isinstance(caught, WrongAllotment)
    rogue.let_disputes_begin()
    # The sender challenges first, about what was delivered, and is answered when it pleases.
    disputed, state = transfer_in_its_set(home.chain, delivered)
    shield = Disputes(home.parent_chain).challenge_delivery(
        B.private_key, rogue.ether, disputed, state
    )
    [shielding] = rogue.opened(shield)
    [dispute] = await watcher.dispute(rogue.ether, caught)
    [(_, entry)] = rogue.opened(dispute)
    assert entry.delta_highest_spendings != 100 and withheld.amount == 50
    assert all(rogue.answers(dispute))
    assert rogue.answer_with_the_only_receipt(*shielding) == ""
    assert all(rogue.answers(dispute))
    [theirs] = rogue.opened(dispute)
    assert rogue.answer_with_the_only_receipt(*theirs) != ""
    assert rogue.is_halted()


async def trader_with(
    rogue: Rogue, home: Home, account: DevelopmentAccount, token: bytes, amount: int
) -> Trader:
    trader = Trader(home, Keys.from_private_key(account.private_key))
    for each in (rogue.ether, rogue.token):
        await trader.wallet(each).register()
    rogue.deposit(account, token, amount)
    return trader


async def order_of(rogue: Rogue, home: Home, wish: Wish) -> tuple[Trader, Trader]:
    """A sells T for ether, B buys; both may trade in eon 2."""
    seller = await trader_with(rogue, home, A, rogue.token, wish.amount)
    buyer = await trader_with(rogue, home, B, rogue.ether, FUNDS)
    rogue.turn()
    await seller.place(rogue.token, rogue.ether, wish)
    return seller, buyer


@pytest.mark.parametrize("victim", ["the wallet that buys", "the wallet that sells"])
async def test_an_order_robbed_of_its_proceeds_or_of_what_it_did_not_sell(
    rogue: Rogue, home: Home, victim: str
) -> None:
    seller, buyer = await order_of(rogue, home, Wish(4000, 2000, eons=3))
    await buyer.place(rogue.ether, rogue.token, Wish(FUNDS, 2 * FUNDS))
    rogue.market.match()
    await seller.sync()
    assert (seller.fate, seller.matched.sold) == (Fate.OPEN, 2000)
    token = rogue.ether if victim == "the wallet that buys" else rogue.token
    rogue.turn(give(A, B, 100, token))
    watcher = Watcher([seller.wallet(rogue.ether), seller.wallet(rogue.token)])
    other = rogue.token if token == rogue.ether else rogue.ether
    assert await watcher.look(other) is None
    caught = await watcher.look(token)
    assert isinstance(caught, WrongAllotment)
    rogue.let_disputes_begin()
    [dispute] = await watcher.dispute(token, caught)
    reasons = rogue.answers(dispute)
    assert reasons and all(reasons) and any("v" in reason for reason in reasons)
    assert rogue.is_halted()


async def test_an_order_robbed_in_a_later_eon_of_its_life(rogue: Rogue, home: Home) -> None:
    seller, buyer = await order_of(rogue, home, Wish(4000, 2000, eons=3))
    await buyer.place(rogue.ether, rogue.token, Wish(FUNDS, 2 * FUNDS))
    rogue.market.match()
    rogue.turn()
    await seller.sync()
    assert (seller.fate, seller.matched.sold) == (Fate.OPEN, 2000)
    another = await trader_with(rogue, home, D, rogue.ether, 500)
    await another.place(rogue.ether, rogue.token, Wish(500, 1000))
    rogue.market.match()
    await seller.sync()
    assert seller.matched.sold == 3000
    rogue.turn(give(A, B, 500, rogue.ether))
    watcher = Watcher([seller.wallet(rogue.ether), seller.wallet(rogue.token)])
    caught = await watcher.look(rogue.ether)
    assert isinstance(caught, WrongAllotment)
    assert (caught.known.balance, caught.proof.balance) == (1500, 1000)
    rogue.let_disputes_begin()
    [dispute] = await watcher.dispute(rogue.ether, caught)
    assert all(rogue.answers(dispute))
    assert rogue.is_halted()


async def test_an_order_robbed_after_it_was_fulfilled(rogue: Rogue, home: Home) -> None:
    seller, buyer = await order_of(rogue, home, Wish(2000, 1000, eons=3))
    await buyer.place(rogue.ether, rogue.token, Wish(FUNDS, 2 * FUNDS))
    rogue.market.match()
    await seller.sync()
    assert seller.fate is Fate.FULFILLED
    rogue.turn(give(A, B, 1, rogue.ether))
    watcher = Watcher([seller.wallet(rogue.ether), seller.wallet(rogue.token)])
    caught = await watcher.look(rogue.ether)
    assert isinstance(caught, WrongAllotment)
    rogue.let_disputes_begin()
    [dispute] = await watcher.dispute(rogue.ether, caught)
    assert all(rogue.answers(dispute))
    assert rogue.is_halted()


async def test_an_honest_operator_answers_a_trader_who_doubts_it(rogue: Rogue, home: Home) -> None:
    seller, buyer = await order_of(rogue, home, Wish(4000, 2000, eons=3))
    await buyer.place(rogue.ether, rogue.token, Wish(FUNDS, 2 * FUNDS))
    rogue.market.match()
    await seller.sync()
    rogue.turn()
    watcher = Watcher([seller.wallet(rogue.ether), seller.wallet(rogue.token)])
    assert [await watcher.look(token) for token in (rogue.ether, rogue.token)] == [None, None]
    proof = seller.wallet(rogue.ether).book.opening
    assert proof is not None
    last = seller.wallet(rogue.ether).book_of(2)
    assert last is not None
    rogue.let_disputes_begin()
    [dispute] = await watcher.dispute(rogue.ether, WrongAllotment(proof, last.closing()))
    assert "" in rogue.answers(dispute)
    assert not rogue.is_halted()
