"""The operator's answers as calls are accepted by the contract, byte for byte what tests send."""

from typing import Any

from chain.answers import (
    ORDER_CLOSED,
    CommittedState,
    PassivePlace,
    SetPlace,
    SignedState,
    answer_delivery_actively,
    answer_delivery_passively,
    answer_state_update,
    answer_swap,
)
from chain.calls import BalanceProof, Call
from protocol.signing import sign

from . import disputes
from .harness import ETHER, OPERATOR, A, Allotment, B, Chain
from .test_delivery_challenges import NONCE, actively_paid, one_receipt, passively_paid
from .trading import register_token, traded


def proof_of(leaf: Allotment) -> BalanceProof:
    return BalanceProof(
        trail=leaf.trail,
        allotment_chain=leaf.allotment_chain,
        membership_chain=leaf.membership_chain,
        values=leaf.values,
        left=leaf.interval[0],
        right=leaf.interval[1],
        active_state=leaf.member.active,
        passive_root=leaf.member.passive_root,
        passive_amount=leaf.member.passive_amount,
        passive_marker=leaf.member.passive_mark,
    )


def committed(state: disputes.State) -> CommittedState:
    return CommittedState(state.root, state.spent, state.gained)


def sent_by_tests(chain: Chain, call: Any) -> tuple[bytes, bytes]:
    data = chain.contract.encode_abi(call.fn_name, args=call.args)
    return chain.address, bytes.fromhex(data.removeprefix("0x"))


def test_state_update_answers(chain: Chain) -> None:
    paid = actively_paid(chain)
    leaf, state = chain.allotment(3, chain.ether, A.address), paid.sender
    call = answer_state_update(
        chain.address,
        token=chain.ether,
        issuer=A.address,
        proof=proof_of(leaf),
        signed=SignedState(
            committed(state),
            sign(state.digest, A.private_key),
            sign(state.digest, OPERATOR.private_key),
        ),
    )
    wanted = disputes.answer_state_update(chain, A, leaf, state)
    assert (call.to, call.data) == sent_by_tests(chain, wanted)
    without = answer_state_update(
        chain.address, token=chain.ether, issuer=A.address, proof=proof_of(leaf)
    )
    wanted = disputes.answer_state_update(chain, A, leaf)
    assert (without.to, without.data) == sent_by_tests(chain, wanted)


def test_active_delivery_answers(chain: Chain) -> None:
    paid = actively_paid(chain)
    leaf = chain.allotment(3, chain.ether, B.address)
    call: Call = answer_delivery_actively(
        chain.address,
        token=chain.ether,
        sender=A.address,
        recipient=B.address,
        proof=proof_of(leaf),
        state=committed(paid.recipient),
        place=SetPlace(0, paid.recipient.path(0)),
    )
    wanted = disputes.answer_delivery(paid.recipient, paid.transfer, leaf)
    assert (call.to, call.data) == sent_by_tests(chain, wanted)


def test_passive_delivery_answers(chain: Chain) -> None:
    receipts = one_receipt()
    paid = passively_paid(chain, tag=disputes.last_tag(NONCE), receipts=receipts)
    leaf = chain.allotment(3, chain.ether, B.address)
    call = answer_delivery_passively(
        chain.address,
        token=chain.ether,
        sender=A.address,
        recipient=B.address,
        proof=proof_of(leaf),
        place=PassivePlace(0, [bytes(32)], [2**255], position=0, nonce=NONCE),
    )
    wanted = disputes.answer_passively(
        chain, paid.transfer, leaf, receipts, position=0, nonce=NONCE
    )
    *others, _ = wanted.args
    wanted = chain.functions[wanted.fn_name](*others, [bytes(32), (2**255).to_bytes(32, "big")])
    assert (call.to, call.data) == sent_by_tests(chain, wanted)


def test_swap_answers(chain: Chain) -> None:
    token = register_token(chain)
    swap = traded(chain, token, start=ORDER_CLOSED)
    swap.commit(30 * ETHER, 55 * ETHER)
    leaf = chain.allotment(3, chain.ether, A.address)
    call = answer_swap(
        chain.address,
        sell_token=token,
        buy_token=chain.ether,
        issuer=A.address,
        proof=proof_of(leaf),
        state=committed(swap.credit),
        place=SetPlace(0, swap.credit.path(0)),
        start=ORDER_CLOSED,
    )
    wanted = disputes.answer_swap(swap.credit, swap.order, ORDER_CLOSED, leaf)
    assert (call.to, call.data) == sent_by_tests(chain, wanted)
