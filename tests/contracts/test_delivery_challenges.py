"""Delivery challenges: active and passive, opened by either side, answered with inclusion only."""

from dataclasses import dataclass, replace

import pytest

from protocol.encoding import u256
from protocol.keccak import keccak256
from protocol.transfers import transfer_tag

from .disputes import (
    STAKE,
    Receipts,
    State,
    Transfer,
    answer_delivery,
    answer_passively,
    challenge_delivery,
    challenge_last_delivery,
    last_tag,
    live,
    record,
)
from .harness import ETHER, OPERATOR, A, B, Chain, D, Member, checksum

AMOUNT = 3 * ETHER
NONCE = 77


def prepared(chain: Chain) -> Chain:
    """A and B hold 10 each from eon 2 on; the next checkpoint is that of eon 3."""
    chain.at(1, 2).deposit(A, 10 * ETHER)
    chain.deposit(B, 10 * ETHER)
    chain.at(1, 10).commit()
    chain.at(2, 1).commit({chain.ether: [(A.address, 10 * ETHER), (B.address, 10 * ETHER)]})
    return chain


@dataclass(frozen=True)
class Payment:
    """A paid B in eon 2, and both have signed for it."""

    transfer: Transfer
    sender: State
    recipient: State


def actively_paid(chain: Chain) -> Payment:
    """B signed for the receipt: both sets hold the transfer with its bare nonce."""
    transfer = Transfer(A, B, AMOUNT, NONCE, recipient_trail=1)
    other = b"\x44" * 32
    sender = State(chain, A, 0, 2, (other, transfer.leaf()), spent=AMOUNT)
    recipient = State(chain, B, 1, 2, (transfer.leaf(A), other), gained=AMOUNT)
    prepared(chain).at(3, 1).commit(
        {chain.ether: [sender.member(7 * ETHER), recipient.member(13 * ETHER)]}
    )
    chain.at(3, 20)
    return Payment(transfer, sender, recipient)


def test_an_active_delivery_is_shown_in_the_recipients_set(chain: Chain) -> None:
    paid = actively_paid(chain)
    outcome = chain.send(challenge_delivery(paid.sender, paid.transfer, 1), B, value=STAKE)
    parties = {
        "token": checksum(chain.ether),
        "recipient": checksum(B.address),
        "sender": checksum(A.address),
    }
    assert outcome.named("ChallengeIssued") == [parties]
    block = outcome.receipt["blockNumber"]
    assert record(chain, A, B) == [2, block, 2, 0, 0, 0, AMOUNT, NONCE, 1]
    leaf = chain.allotment(3, chain.ether, B.address)
    exchanged = answer_delivery(paid.recipient, paid.transfer, leaf, exchanged=True)
    assert chain.reason(exchanged, D) == "none"
    wrong_place = answer_delivery(paid.recipient, paid.transfer, leaf, 1)
    assert chain.reason(wrong_place, D) == "none"
    outcome = chain.send(answer_delivery(paid.recipient, paid.transfer, leaf), D)
    assert outcome.named("ChallengeAnswered") == [parties]
    assert record(chain, A, B) == [0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert live(chain, 3) == 0


def test_only_the_parties_of_what_was_signed_can_ask(chain: Chain) -> None:
    paid = actively_paid(chain)
    call = challenge_delivery(paid.sender, paid.transfer, 1)
    assert chain.reason(call, D, value=STAKE) == "d"
    larger = replace(paid.transfer, amount=AMOUNT + 1)
    assert chain.reason(challenge_delivery(paid.sender, larger, 1), B, value=STAKE) == "e"
    elsewhere = challenge_delivery(paid.sender, paid.transfer, 0)
    assert chain.reason(elsewhere, B, value=STAKE) == "e"
    unsigned = challenge_delivery(
        replace(paid.sender, spent=AMOUNT + 1), paid.transfer, 1, signed=paid.sender
    )
    assert chain.reason(unsigned, B, value=STAKE) == "A"
    senders = challenge_delivery(paid.sender, paid.transfer, 1, signer=A)
    assert chain.reason(senders, B, value=STAKE) == "A"


def test_a_transfer_to_oneself_opens_nothing(chain: Chain) -> None:
    prepared(chain).at(3, 20)
    transfer = Transfer(A, A, AMOUNT, NONCE, recipient_trail=0)
    state = State(chain, A, 0, 2, (transfer.leaf(),), spent=AMOUNT, gained=AMOUNT)
    assert chain.reason(challenge_delivery(state, transfer), A, value=STAKE) == "d"


def test_a_delivered_amount_with_another_gain_is_no_answer(chain: Chain) -> None:
    paid = actively_paid(chain)
    chain.send(challenge_delivery(paid.sender, paid.transfer, 1), A, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    other = replace(paid.recipient, gained=0)
    assert chain.reason(answer_delivery(other, paid.transfer, leaf), OPERATOR) == "m"


def test_the_sender_cannot_occupy_the_recipients_challenge(chain: Chain) -> None:
    delivered = Transfer(A, B, AMOUNT, NONCE, recipient_trail=1)
    lost = replace(delivered, number=NONCE + 1)
    sender = State(chain, A, 0, 2, (delivered.leaf(), lost.leaf()), spent=2 * AMOUNT)
    recipient = State(chain, B, 1, 2, (delivered.leaf(A),), gained=AMOUNT)
    prepared(chain).at(3, 1).commit(
        {chain.ether: [sender.member(4 * ETHER), recipient.member(13 * ETHER)]}
    )
    chain.at(3, 20).send(challenge_delivery(sender, delivered), A, value=STAKE)
    chain.send(challenge_delivery(sender, lost, 1), B, value=STAKE)
    assert live(chain, 3) == 2
    assert record(chain, A, B)[7] == NONCE + 1
    chain.send(
        answer_delivery(recipient, delivered, chain.allotment(3, chain.ether, B.address)), OPERATOR
    )
    assert live(chain, 3) == 1
    assert record(chain, A, B)[7] == NONCE + 1
    chain.at(4, 16)
    assert chain.next(chain.functions.hasOutstandingChallenges())


def test_a_second_transfer_of_the_eon_may_be_challenged_but_none_twice(chain: Chain) -> None:
    first = Transfer(A, B, AMOUNT, NONCE, recipient_trail=1)
    second = replace(first, number=NONCE + 1)
    sender = State(chain, A, 0, 2, (first.leaf(), second.leaf()), spent=2 * AMOUNT)
    recipient = State(chain, B, 1, 2, (first.leaf(A), second.leaf(A)), gained=2 * AMOUNT)
    prepared(chain).at(3, 1).commit(
        {chain.ether: [sender.member(4 * ETHER), recipient.member(16 * ETHER)]}
    )
    chain.at(3, 20)
    leaf = chain.allotment(3, chain.ether, B.address)
    for index, transfer in enumerate((first, second)):
        chain.send(challenge_delivery(sender, transfer, index), A, value=STAKE)
        occupied = challenge_delivery(sender, (second, first)[index], 1 - index)
        assert chain.reason(occupied, A, value=STAKE) == "open"
        chain.send(answer_delivery(recipient, transfer, leaf, index), OPERATOR)
    for opener in (A, B):
        again = challenge_delivery(sender, first)
        assert chain.reason(again, opener, value=STAKE) == "used"


# Passive delivery


def passively_paid(
    chain: Chain, *, tag: int, receipts: Receipts, members: dict[str, object] | None = None
) -> Payment:
    """A paid B without B's signature; A's set carries `tag`, B's leaf `receipts`."""
    transfer = Transfer(A, B, AMOUNT, tag, recipient_trail=1)
    sender = State(chain, A, 0, 2, (transfer.leaf(),), spent=AMOUNT)
    committed = receipts.committed() | (members or {})
    prepared(chain).at(3, 1).commit(
        {
            chain.ether: [
                sender.member(7 * ETHER),
                Member(B.address, 13 * ETHER, **committed),  # type: ignore[arg-type]
            ]
        }
    )
    chain.at(3, 20)
    return Payment(transfer, sender, State(chain, B, 1, 2))


def one_receipt() -> Receipts:
    return Receipts(1, ((A.address, AMOUNT, NONCE),))


def test_a_passive_delivery_is_shown_in_the_recipients_passive_tree(chain: Chain) -> None:
    receipts = one_receipt()
    paid = passively_paid(chain, tag=transfer_tag(0, NONCE), receipts=receipts)
    chain.send(challenge_delivery(paid.sender, paid.transfer), B, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    for position, nonce in ((0, NONCE + 1), (1, NONCE)):
        call = answer_passively(
            chain, paid.transfer, leaf, receipts, position=position, nonce=nonce
        )
        assert chain.reason(call, OPERATOR) == "none"
    call = answer_passively(chain, paid.transfer, leaf, receipts, position=0, nonce=NONCE)
    chain.send(call, D)
    assert live(chain, 3) == 0


def test_a_middle_receipt_of_many_is_proven(chain: Chain) -> None:
    receipts = Receipts(
        1,
        (
            (D.address, ETHER, 5),
            (OPERATOR.address, 0, 6),
            (A.address, AMOUNT, NONCE),
            (D.address, 2 * ETHER, 8),
            (D.address, ETHER, 9),
        ),
    )
    paid = passively_paid(chain, tag=transfer_tag(ETHER, NONCE), receipts=receipts)
    chain.send(challenge_delivery(paid.sender, paid.transfer), A, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    wrong = answer_passively(chain, paid.transfer, leaf, receipts, 3, position=ETHER, nonce=NONCE)
    assert chain.reason(wrong, OPERATOR) in {"x", "n"}
    call = answer_passively(chain, paid.transfer, leaf, receipts, 2, position=ETHER, nonce=NONCE)
    chain.send(call, OPERATOR)


def test_a_wrapped_passive_leaf_is_no_answer(chain: Chain) -> None:
    receipts = one_receipt()
    wrapped = keccak256(u256(0) + receipts.root + u256(AMOUNT))
    paid = passively_paid(
        chain,
        tag=transfer_tag(0, NONCE),
        receipts=receipts,
        members={"passive_root": wrapped},
    )
    chain.send(challenge_delivery(paid.sender, paid.transfer), B, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    call = answer_passively(chain, paid.transfer, leaf, receipts, position=0, nonce=NONCE)
    assert chain.reason(call, OPERATOR) == "n"


def test_a_leaf_that_counts_less_than_was_delivered_is_no_answer(chain: Chain) -> None:
    receipts = one_receipt()
    paid = passively_paid(
        chain,
        tag=transfer_tag(0, NONCE),
        receipts=receipts,
        members={"passive_amount": 2 * ETHER},
    )
    chain.send(challenge_delivery(paid.sender, paid.transfer), B, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    call = answer_passively(chain, paid.transfer, leaf, receipts, position=0, nonce=NONCE)
    assert chain.reason(call, OPERATOR) == "amount"


def test_the_newest_passive_transfer_can_be_challenged_and_answered(chain: Chain) -> None:
    receipts = one_receipt()
    paid = passively_paid(chain, tag=last_tag(NONCE), receipts=receipts)
    chain.send(challenge_delivery(paid.sender, paid.transfer), A, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    for position, nonce, reason in ((0, NONCE + 1, "none"), (1, NONCE, "n")):
        call = answer_passively(
            chain, paid.transfer, leaf, receipts, position=position, nonce=nonce
        )
        assert chain.reason(call, OPERATOR) in {reason, "x", "l"}
    answer = answer_passively(chain, paid.transfer, leaf, receipts, position=0, nonce=NONCE)
    chain.send(answer, OPERATOR)
    senders = chain.allotment(3, chain.ether, A.address)
    passive_form = challenge_last_delivery(paid.sender, paid.transfer, senders, nonce=NONCE)
    chain.send(passive_form, B, value=STAKE)
    assert record(chain, A, B)[7] == transfer_tag(0, NONCE)
    chain.send(answer, OPERATOR)
    for opener in (A, B):
        assert chain.reason(passive_form, opener, value=STAKE) == "used"
        active_form = challenge_delivery(paid.sender, paid.transfer)
        assert chain.reason(active_form, opener, value=STAKE) == "used"


def test_the_passive_form_keeps_its_published_meaning_without_a_nonce(chain: Chain) -> None:
    greatest = 2**256 - 1
    receipts = Receipts(1, ((A.address, AMOUNT, greatest),))
    paid = passively_paid(chain, tag=greatest, receipts=receipts)
    senders = chain.allotment(3, chain.ether, A.address)
    call = challenge_last_delivery(paid.sender, paid.transfer, senders)
    assert chain.reason(call, D, value=STAKE) == "d"
    named = challenge_last_delivery(paid.sender, paid.transfer, senders, nonce=NONCE)
    assert chain.reason(named, A, value=STAKE) == "e"
    chain.send(call, A, value=STAKE)
    assert record(chain, A, B)[7] == transfer_tag(0, greatest)
    leaf = chain.allotment(3, chain.ether, B.address)
    answer = answer_passively(chain, paid.transfer, leaf, receipts, position=0, nonce=greatest)
    chain.send(answer, OPERATOR)


def test_the_passive_form_needs_the_senders_committed_leaf(chain: Chain) -> None:
    receipts = one_receipt()
    paid = passively_paid(chain, tag=last_tag(NONCE), receipts=receipts)
    senders = chain.allotment(3, chain.ether, A.address)
    forged = replace(paid.sender, spent=0)
    call = challenge_last_delivery(forged, paid.transfer, senders, nonce=NONCE)
    assert chain.reason(call, B, value=STAKE) == "m"


def test_chain_values_of_odd_length_are_refused(chain: Chain) -> None:
    receipts = one_receipt()
    paid = passively_paid(chain, tag=transfer_tag(0, NONCE), receipts=receipts)
    chain.send(challenge_delivery(paid.sender, paid.transfer), B, value=STAKE)
    leaf = chain.allotment(3, chain.ether, B.address)
    call = answer_passively(chain, paid.transfer, leaf, receipts, position=0, nonce=NONCE)
    *others, _ = call.args
    odd = chain.functions[call.fn_name](*others, [bytes(32)])
    assert chain.reason(odd, OPERATOR) == "p"


@pytest.mark.parametrize("opener", [A, B])
def test_an_undelivered_transfer_halts_the_chain(chain: Chain, opener: object) -> None:
    paid = passively_paid(chain, tag=transfer_tag(0, NONCE), receipts=Receipts(1, ()))
    chain.send(challenge_delivery(paid.sender, paid.transfer), opener, value=STAKE)  # type: ignore[arg-type]
    chain.at(4, 16)
    assert chain.next(chain.functions.hasOutstandingChallenges())
    for wallet in (A, B):
        leaf = chain.allotment(2, chain.ether, wallet.address)
        chain.send(chain.recover(wallet, leaf), D)
    assert chain.balance() == 0
