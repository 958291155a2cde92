"""Weaknesses around challenges and answers: each works there and fails on ours."""

from dataclasses import replace

from protocol.conduits import conduit
from protocol.orders import OrderTerms
from protocol.transfers import transfer_tag

from ..disputes import (
    STAKE,
    Receipts,
    State,
    Transfer,
    answer_delivery,
    answer_passively,
    answer_state_update,
    answer_swap,
    challenge_agreement,
    challenge_allotment,
    challenge_delivery,
    challenge_swap,
    last_tag,
    record,
)
from ..harness import BOND, ETHER, OPERATOR, A, B, Chain, D, Member
from ..trading import NONCE, commit_eon_four, pay_in, register_token, traded, traded_in_eon_three


def shares(chain: Chain, ours: int, theirs: int = 10) -> dict[bytes, list[tuple[bytes, int]]]:
    return {chain.ether: [(A.address, ours * ETHER), (B.address, theirs * ETHER)]}


def funded(chain: Chain) -> Chain:
    chain.at(1, 2).deposit(A, 10 * ETHER)
    chain.deposit(B, 10 * ETHER)
    chain.at(1, 10).commit()
    chain.at(2, 1).commit(shares(chain, 10))
    return chain


def test_w3_a_forgotten_deposit_is_not_missed(chain: Chain) -> None:
    funded(chain).deposit(A, 5 * ETHER)
    chain.at(3, 1).commit(shares(chain, 10, 15))
    chain.at(3, 16)
    opening = challenge_allotment(chain, chain.allotment(2, chain.ether, A.address))
    chain.send(opening, A, value=STAKE)
    answer = answer_state_update(chain, A, chain.allotment(3, chain.ether, A.address))
    assert chain.outcome(answer, D) == ("B" if chain.is_hardened else "done")


def test_w3_after_an_honest_withdrawal_the_operator_has_no_answer(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.at(4, 1).commit(shares(base, 6))
    base.at(4, 16)
    opening = challenge_allotment(base, base.allotment(3, base.ether, A.address))
    base.send(opening, A, value=STAKE)
    answer = answer_state_update(base, A, base.allotment(4, base.ether, A.address))
    assert base.outcome(answer, OPERATOR) == ("done" if base.is_hardened else "B")


def test_w3_a_colluder_answers_with_requests_of_its_own(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(B, 6 * ETHER), B, value=BOND)
    base.at(4, 1).commit(shares(base, 4, 10))
    base.at(4, 16)
    opening = challenge_allotment(base, base.allotment(3, base.ether, A.address))
    base.send(opening, A, value=STAKE)
    answer = answer_state_update(base, A, base.allotment(4, base.ether, A.address))
    assert base.outcome(answer, B) == ("B" if base.is_hardened else "done")


def test_w7_everything_is_taken_and_nothing_given(chain: Chain) -> None:
    swap = traded(chain, register_token(chain))
    swap.commit(30 * ETHER, 50 * ETHER)
    chain.send(swap.challenge(), A, value=STAKE)
    assert chain.outcome(swap.answer(), OPERATOR) == ("v" if chain.is_hardened else "done")


def test_w7_a_better_price_has_no_answer(chain: Chain) -> None:
    swap = traded(chain, register_token(chain))
    swap.commit(30 * ETHER, 56 * ETHER)
    chain.send(swap.challenge(), A, value=STAKE)
    assert chain.outcome(swap.answer(), OPERATOR) == ("done" if chain.is_hardened else "v")


def test_w15_the_sender_shields_an_undelivered_transfer(chain: Chain) -> None:
    delivered = Transfer(A, B, ETHER, 7, recipient_trail=1)
    lost = replace(delivered, number=8)
    sender = State(chain, A, 0, 2, (delivered.leaf(), lost.leaf()), spent=2 * ETHER)
    recipient = State(chain, B, 1, 2, (delivered.leaf(A),), gained=ETHER)
    funded(chain).at(3, 1).commit(
        {chain.ether: [sender.member(8 * ETHER), recipient.member(11 * ETHER)]}
    )
    chain.at(3, 20).send(challenge_delivery(sender, delivered), A, value=STAKE)
    chain.send(
        answer_delivery(recipient, delivered, chain.allotment(3, chain.ether, B.address)), OPERATOR
    )
    dispute = challenge_delivery(sender, lost, 1)
    assert chain.outcome(dispute, B, value=STAKE) == ("done" if chain.is_hardened else "used")


def test_w15_a_transfer_to_oneself_blocks_the_state_update_challenge(chain: Chain) -> None:
    transfer = Transfer(A, A, ETHER, 7, recipient_trail=0)
    state = State(chain, A, 0, 2, (transfer.leaf(),), spent=ETHER, gained=ETHER)
    funded(chain).at(3, 1).commit(
        {chain.ether: [state.member(10 * ETHER), Member(B.address, 10 * ETHER)]}
    )
    chain.at(3, 20)
    first = chain.outcome(challenge_delivery(state, transfer), A, value=STAKE)
    assert first == ("d" if chain.is_hardened else "done")
    opening = challenge_allotment(chain, chain.allotment(2, chain.ether, A.address))
    assert chain.outcome(opening, A, value=STAKE) == ("done" if chain.is_hardened else "open")


def test_w16_the_newest_passive_transfer_has_no_answer(chain: Chain) -> None:
    transfer = Transfer(A, B, ETHER, last_tag(7), recipient_trail=1)
    sender = State(chain, A, 0, 2, (transfer.leaf(),), spent=ETHER)
    receipts = Receipts(1, ((A.address, ETHER, 7),))
    funded(chain).at(3, 1).commit(
        {
            chain.ether: [
                sender.member(9 * ETHER),
                Member(B.address, 11 * ETHER, **receipts.committed()),
            ]
        }
    )
    chain.at(3, 20).send(challenge_delivery(sender, transfer), A, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    answer = answer_passively(chain, transfer, leaf, receipts, position=0, nonce=7)
    assert chain.outcome(answer, OPERATOR) == ("done" if chain.is_hardened else "none")


def test_w17_a_state_with_zero_totals_cannot_be_proven(chain: Chain) -> None:
    chain.at(1, 10).commit()
    chain.at(2, 10).commit({chain.ether: [(A.address, 0)]})
    ordered = State(chain, A, trail=0, eon=2, leaves=(b"\x33" * 32,))
    chain.at(3, 1).commit({chain.ether: [ordered.member(0)]})
    chain.at(3, 16)
    chain.send(challenge_agreement(State(chain, A, trail=0, eon=2)), A, value=STAKE)
    answer = answer_state_update(chain, A, chain.allotment(3, chain.ether, A.address), ordered)
    assert chain.outcome(answer, OPERATOR) == ("done" if chain.is_hardened else "m")


def test_w18_a_deposit_passes_for_an_unsold_part(chain: Chain) -> None:
    token = register_token(chain)
    swap = traded(chain, token)
    pay_in(chain, token, 5 * ETHER)
    swap.commit(35 * ETHER, 55 * ETHER)
    chain.send(swap.challenge(), A, value=STAKE)
    entry = record(chain, A, A, conduit(token, chain.ether))
    initial = 35 * ETHER if chain.is_hardened else 30 * ETHER
    assert (entry[3], entry[6]) == (initial, 35 * ETHER)


def test_w18_after_a_withdrawal_the_trader_cannot_ask(chain: Chain) -> None:
    token = register_token(chain)
    swap = traded_in_eon_three(chain, token)
    request = chain.request_with(chain.allotment(2, token, A.address), 4 * ETHER, token)
    chain.send(request, A, value=BOND)
    commit_eon_four(chain, swap, sell_side=26 * ETHER, buy_side=55 * ETHER)
    leaf = chain.allotment(4, token, A.address)
    opening = challenge_swap(swap.debit, swap.order, 40 * ETHER, leaf)
    assert chain.outcome(opening, A, value=STAKE) == ("done" if chain.is_hardened else "d")


def test_w19_surplus_trail_bits_are_accepted(base: Chain) -> None:
    base.at(3, 16)
    surplus = replace(base.allotment(2, base.ether, A.address), trail=2)
    opened = base.outcome(challenge_allotment(base, surplus), A, value=STAKE)
    assert opened == ("m" if base.is_hardened else "done")


def test_w34_a_credit_wallet_that_withdrew_has_no_answer(chain: Chain) -> None:
    token = register_token(chain)
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
    credit = State(chain, A, 0, 3, (order.leaf(10 * ETHER),), spent=10 * ETHER)
    chain.at(4, 1).commit(
        {chain.ether: [credit.member(20 * ETHER)], token: [debit.member(10 * ETHER)]}
    )
    chain.at(4, 20)
    opening = challenge_swap(debit, order, 20 * ETHER, chain.allotment(4, token, A.address))
    chain.send(opening, A, value=STAKE)
    leaf = chain.allotment(4, chain.ether, A.address)
    answered = chain.outcome(answer_swap(credit, order, 10 * ETHER, leaf), A)
    assert answered == ("done" if chain.is_hardened else "panic")


def test_an_ordinary_passive_delivery_is_answered_on_both(chain: Chain) -> None:
    transfer = Transfer(A, B, ETHER, transfer_tag(0, 7), recipient_trail=1)
    sender = State(chain, A, 0, 2, (transfer.leaf(),), spent=ETHER)
    receipts = Receipts(1, ((A.address, ETHER, 7),))
    funded(chain).at(3, 1).commit(
        {
            chain.ether: [
                sender.member(9 * ETHER),
                Member(B.address, 11 * ETHER, **receipts.committed()),
            ]
        }
    )
    chain.at(3, 20).send(challenge_delivery(sender, transfer), A, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    chain.send(answer_passively(chain, transfer, leaf, receipts, position=0, nonce=7), OPERATOR)
