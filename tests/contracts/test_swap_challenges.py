"""Swap challenges: what was taken for an order comes back at its price."""

from dataclasses import replace

import pytest

from protocol.conduits import conduit
from protocol.orders import OrderTerms

from .disputes import CLOSED, STAKE, State, answer_swap, challenge_swap, live, record
from .harness import BOND, ETHER, OPERATOR, A, B, Chain, D, checksum
from .trading import (
    NONCE,
    commit_eon_four,
    pay_in,
    register_token,
    traded,
    traded_in_eon_three,
)


@pytest.fixture
def token(chain: Chain) -> bytes:
    """T at trail 1; A owns it and lets the commit-chain pull it."""
    return register_token(chain)


@pytest.mark.parametrize(
    ("sell_side", "buy_side", "fair"),
    [
        (30 * ETHER, 50 * ETHER, False),
        (30 * ETHER, 55 * ETHER, True),
        (30 * ETHER, 55 * ETHER - 100, False),
        (30 * ETHER, 56 * ETHER, True),
        (35 * ETHER, 52_500 * ETHER // 1000, True),
        (35 * ETHER, 52_400 * ETHER // 1000, False),
        (40 * ETHER, 50 * ETHER, True),
    ],
)
def test_what_was_taken_is_paid_for_at_the_orders_price(
    chain: Chain, token: bytes, sell_side: int, buy_side: int, fair: bool
) -> None:
    swap = traded(chain, token)
    swap.commit(sell_side, buy_side)
    chain.send(swap.challenge(), A, value=STAKE)
    if fair:
        chain.send(swap.answer(), D)
        assert live(chain, 3) == 0
    else:
        assert chain.reason(swap.answer(), OPERATOR) == "v"


def test_a_swap_challenge_is_filed_under_the_conduit(chain: Chain, token: bytes) -> None:
    swap = traded(chain, token)
    swap.commit(30 * ETHER, 55 * ETHER)
    outcome = chain.send(swap.challenge(), A, value=STAKE)
    filed = conduit(token, chain.ether)
    parties = {
        "token": checksum(filed),
        "recipient": checksum(A.address),
        "sender": checksum(A.address),
    }
    assert outcome.named("ChallengeIssued") == [parties]
    block = outcome.receipt["blockNumber"]
    prices = [10 * ETHER, 5 * ETHER]
    assert record(chain, A, A, filed) == [
        3,
        block,
        2,
        30 * ETHER,
        *prices,
        30 * ETHER,
        NONCE,
        0,
    ]
    assert chain.reason(swap.challenge(), A, value=STAKE) == "open"
    outcome = chain.send(swap.answer(), OPERATOR)
    assert outcome.named("ChallengeAnswered") == [parties]
    assert record(chain, A, A, filed) == [0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert chain.reason(swap.challenge(), A, value=STAKE) == "used"
    assert chain.reason(swap.answer(), OPERATOR) == "none"


def test_less_than_the_trader_kept_opens_nothing(chain: Chain, token: bytes) -> None:
    swap = traded(chain, token)
    swap.commit(30 * ETHER - 1, 55 * ETHER)
    assert chain.reason(swap.challenge(), A, value=STAKE) == "d"


def test_only_the_committed_order_of_the_trader_counts(chain: Chain, token: bytes) -> None:
    swap = traded(chain, token)
    swap.commit(30 * ETHER, 55 * ETHER)
    dearer = replace(swap, order=replace(swap.order, amount_swapped=6 * ETHER))
    assert chain.reason(dearer.challenge(), A, value=STAKE) == "e"
    assert chain.reason(swap.challenge(), B, value=STAKE) == "m"
    unknown = replace(swap, order=replace(swap.order, sell_token=D.address))
    assert chain.reason(unknown.challenge(), A, value=STAKE) == "t"


def test_a_closed_order_needs_no_price(chain: Chain, token: bytes) -> None:
    swap = traded(chain, token, start=CLOSED)
    swap.commit(30 * ETHER, 50 * ETHER)
    chain.send(swap.challenge(), A, value=STAKE)
    assert chain.reason(swap.answer(), OPERATOR) == "M"
    chain.send(swap.answer(CLOSED), OPERATOR)


def test_less_than_the_start_is_no_answer(chain: Chain, token: bytes) -> None:
    swap = traded(chain, token)
    swap.commit(30 * ETHER, 50 * ETHER - 1)
    chain.send(swap.challenge(), A, value=STAKE)
    assert chain.reason(swap.answer(), OPERATOR) == "panic"


def test_a_deposit_of_the_eon_on_the_sold_side_is_not_an_unsold_part(
    chain: Chain, token: bytes
) -> None:
    swap = traded(chain, token)
    pay_in(chain, token, 5 * ETHER)
    swap.commit(35 * ETHER, 55 * ETHER)
    chain.send(swap.challenge(), A, value=STAKE)
    entry = record(chain, A, A, conduit(token, chain.ether))
    assert entry[3] == entry[6] == 35 * ETHER
    chain.send(swap.answer(), OPERATOR)


def test_a_deposit_of_the_eon_on_the_bought_side_is_nothing_given(
    chain: Chain, token: bytes
) -> None:
    swap = traded(chain, token)
    pay_in(chain, chain.ether, 5 * ETHER)
    swap.commit(30 * ETHER, 55 * ETHER)
    chain.send(swap.challenge(), A, value=STAKE)
    assert chain.reason(swap.answer(), A) == "v"


def test_a_request_of_the_eon_on_the_sold_side_keeps_the_challenge_open(
    chain: Chain, token: bytes
) -> None:
    swap = traded_in_eon_three(chain, token)
    call = chain.request_with(chain.allotment(2, token, A.address), 4 * ETHER, token)
    chain.send(call, A, value=BOND)
    commit_eon_four(chain, swap, sell_side=26 * ETHER, buy_side=55 * ETHER)
    leaf = chain.allotment(4, token, A.address)
    chain.send(challenge_swap(swap.debit, swap.order, 40 * ETHER, leaf), A, value=STAKE)
    answer = answer_swap(
        swap.credit, swap.order, 50 * ETHER, chain.allotment(4, chain.ether, A.address)
    )
    chain.send(answer, OPERATOR)


@pytest.mark.parametrize(("buy_side", "fair"), [(20 * ETHER, True), (19 * ETHER, False)])
def test_a_credit_wallet_that_moved_its_money_away_and_withdrew_can_be_answered(
    chain: Chain, token: bytes, buy_side: int, fair: bool
) -> None:
    """The order: 20 T for 60, start 10, half of it filled: 10 T for 30."""
    order = OrderTerms(token, chain.ether, 0, 20 * ETHER, 60 * ETHER, NONCE)
    pay_in(chain, token, 20 * ETHER)
    pay_in(chain, chain.ether, 10 * ETHER)
    pay_in(chain, chain.ether, 60 * ETHER, B)
    chain.at(1, 20).commit()
    allotments = {
        chain.ether: [(A.address, 10 * ETHER), (B.address, 60 * ETHER)],
        token: [(A.address, 20 * ETHER)],
    }
    chain.commit_each(2, 3, 1, allotments)
    chain.at(3, 10)
    chain.send(chain.request(A, 10 * ETHER), A, value=BOND)
    debit = State(chain, A, 0, 3, (order.leaf(20 * ETHER),), spent=20 * ETHER, token=token)
    # The transfer away stands before the order in the set of the wallet that buys.
    away = b"\x55" * 32
    credit = State(chain, A, 0, 3, (away, order.leaf(10 * ETHER)), spent=10 * ETHER)
    chain.at(4, 1).commit(
        {chain.ether: [credit.member(buy_side)], token: [debit.member(10 * ETHER)]}
    )
    chain.at(4, 20)
    opening = challenge_swap(debit, order, 20 * ETHER, chain.allotment(4, token, A.address))
    chain.send(opening, A, value=STAKE)
    leaf = chain.allotment(4, chain.ether, A.address)
    answer = answer_swap(credit, order, 10 * ETHER, leaf, 1)
    if fair:
        chain.send(answer, OPERATOR)
    else:
        assert chain.reason(answer, OPERATOR) == "v"


def test_an_unanswered_swap_halts_the_chain(chain: Chain, token: bytes) -> None:
    swap = traded(chain, token)
    swap.commit(30 * ETHER, 50 * ETHER)
    chain.send(swap.challenge(), A, value=STAKE)
    chain.at(4, 16)
    assert chain.next(chain.functions.hasOutstandingChallenges())
    for asset in (chain.ether, token):
        chain.send(chain.recover(A, chain.allotment(2, asset, A.address), token=asset), D)
    chain.send(chain.recover(B, chain.allotment(2, chain.ether, B.address)), D)
    assert chain.balance() == 0
