"""The wallet client disputes and recovers on a real commit-chain."""

import pytest

from protocol.conduits import conduit
from protocol.signing import sign
from wallet.disputes import Countersigned, DisputedOrder, DisputedTransfer, Disputes
from wallet.errors import ChainFailure
from wallet.parent_chain import ParentChain
from wallet.wire import AllotmentProof

from .disputes import State, live, record
from .harness import BOND, ETHER, OPERATOR, A, Allotment, B, Chain, D
from .test_delivery_challenges import actively_paid
from .trading import NONCE, register_token, traded


def client(chain: Chain) -> Disputes:
    url = str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    return Disputes(ParentChain(url, chain.address))


def on_the_wire(leaf: Allotment, eon: int) -> AllotmentProof:
    return AllotmentProof(
        eon,
        *leaf.interval,
        leaf.allotment_chain,
        leaf.membership_chain,
        leaf.values,
        leaf.trail,
        leaf.member.active,
        None,
        leaf.member.passive_root,
        leaf.member.passive_amount,
        leaf.member.passive_mark,
    )


def countersigned(state: State) -> Countersigned:
    return Countersigned(
        state.trail,
        state.root,
        state.spent,
        state.gained,
        sign(state.digest, OPERATOR.private_key),
    )


def test_a_wallet_disputes_its_balance(base: Chain) -> None:
    base.at(3, 20)
    proof = on_the_wire(base.allotment(2, base.ether, A.address), 2)
    state = State(base, A, 0, 2, (b"\x11" * 32,), spent=ETHER)
    client(base).challenge_balance(A.private_key, base.ether, proof, countersigned(state))
    entry = record(base, A, A)
    assert (entry[0], entry[3], entry[4]) == (1, 10 * ETHER, ETHER)
    with pytest.raises(ChainFailure):
        client(base).challenge_balance(A.private_key, base.ether, proof)


def test_a_wallet_without_state_or_allotment_disputes_too(base: Chain) -> None:
    base.at(3, 20)
    proof = on_the_wire(base.allotment(2, base.ether, B.address), 2)
    client(base).challenge_balance(B.private_key, base.ether, proof)
    admitted = State(base, D, 2, 2)
    client(base).challenge_admission(D.private_key, base.ether, countersigned(admitted))
    assert live(base, 3) == 2


def test_a_wallet_disputes_a_delivery(chain: Chain) -> None:
    paid = actively_paid(chain)
    transfer = DisputedTransfer(
        A.address, B.address, 1, paid.transfer.amount, paid.transfer.number, 1, paid.sender.path(1)
    )
    client(chain).challenge_delivery(
        B.private_key, chain.ether, transfer, countersigned(paid.sender)
    )
    assert record(chain, A, B)[0] == 2


def test_a_wallet_disputes_a_swap(chain: Chain) -> None:
    token = register_token(chain)
    swap = traded(chain, token)
    swap.commit(30 * ETHER, 55 * ETHER)
    order = DisputedOrder(
        token, chain.ether, 0, 10 * ETHER, 5 * ETHER, 40 * ETHER, NONCE, 0, swap.debit.path(0)
    )
    client(chain).challenge_swap(
        A.private_key,
        order,
        on_the_wire(chain.allotment(3, token, A.address), 3),
        tx_set_root=swap.debit.root,
        spent=swap.debit.spent,
        gained=0,
    )
    assert record(chain, A, A, conduit(token, chain.ether))[0] == 3


def test_a_wallet_is_paid_and_recovers(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    rest = {base.ether: [(A.address, 6 * ETHER), (B.address, 10 * ETHER)]}
    base.commit_each(4, 5, 1, rest)
    base.at(5, 30)
    held = base.balance(A.address)
    disputes = client(base)
    disputes.confirm_withdrawal(D.private_key, base.ether, A.address)
    assert base.balance(A.address) == held + 4 * ETHER
    base.at(6, 5).deposit(B, ETHER)
    base.at(7, 1)
    disputes.recover_without_allotment(D.private_key, base.ether, B.address)
    for wallet in (A, B):
        proof = on_the_wire(base.allotment(4, base.ether, wallet.address), 4)
        disputes.recover(D.private_key, base.ether, wallet.address, proof)
    assert base.balance() == 0
