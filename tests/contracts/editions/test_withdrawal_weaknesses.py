"""Weaknesses around requests, payments and slashes: each works there and fails on ours."""

from typing import Any

import pytest
from web3 import Web3
from web3.exceptions import ContractLogicError

from contracts.artefacts import PUBLISHED_ARTEFACTS
from contracts.deployment import create_commit_chain
from contracts.development import DevelopmentAccount
from contracts.sending import Sender
from protocol.markers import minimum_available_balance_digest
from protocol.withdrawals import delegated_withdrawal_digest

from ..disputes import (
    STAKE,
    State,
    answer_state_update,
    challenge_agreement,
    challenge_allotment,
    parts,
)
from ..harness import BOND, ETHER, OPERATOR, A, B, Chain, D, E, checksum

FAR = 10**9


def signed_request(
    chain: Chain, holder: bytes, amount: int, *, signer: DevelopmentAccount
) -> tuple[bytes, bytes, int]:
    digest = delegated_withdrawal_digest(
        contract=chain.address,
        token=chain.ether,
        holder=holder,
        expiry_block=FAR,
        amount=amount,
        pending=0,
    )
    return parts(digest, signer)


def delegated(chain: Chain, holder: bytes, amount: int, *, signer: DevelopmentAccount) -> Any:
    return chain.functions.requestDelegatedWithdrawal(
        checksum(chain.ether),
        checksum(holder),
        amount,
        FAR,
        *signed_request(chain, holder, amount, signer=signer),
    )


def slash(chain: Chain, marker_eon: int, available: int) -> Any:
    digest = minimum_available_balance_digest(
        contract=chain.address,
        token=chain.ether,
        wallet=A.address,
        eon=marker_eon,
        amount=available,
    )
    r, s, v = parts(digest, A)
    return chain.functions.slashWithdrawalWithProofOfMinimumAvailableBalance(
        checksum(chain.ether), checksum(A.address), [marker_eon, available], [r, s], v
    )


def shares(chain: Chain, ours: int, theirs: int = 10) -> dict[bytes, list[tuple[bytes, int]]]:
    return {chain.ether: [(A.address, ours * ETHER), (B.address, theirs * ETHER)]}


def test_w1_a_payment_is_taken_twice(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.send(base.request(B, 8 * ETHER), B, value=BOND)
    base.commit_each(4, 5, 1, shares(base, 6, 2))
    base.at(5, 20).send(base.confirm(A), D)
    held = base.balance(A.address)
    base.send(base.confirm(A), D)
    taken = base.balance(A.address) - held
    assert taken == (0 if base.is_hardened else 4 * ETHER)


@pytest.mark.parametrize(
    ("mature", "younger", "left_there"),
    [
        ([1, 2], [3, 4, 5], [(5, 3), (5, 4)]),
        ([1, 2, 3], [4], [(5, 4), (3, 2), (3, 3)]),
    ],
)
def test_w1_a_payment_loses_or_doubles_younger_requests(
    base: Chain, mature: list[int], younger: list[int], left_there: list[tuple[int, int]]
) -> None:
    base.at(3, 10)
    for amount in mature:
        base.send(base.request(A, amount), A, value=BOND)
    base.commit_each(4, 5, 1, {base.ether: [(A.address, ETHER), (B.address, ETHER)]})
    for amount in younger:
        base.send(base.request(A, amount), A, value=BOND)
    base.at(5, 25).send(base.confirm(A), D)
    wanted = [(5, amount) for amount in younger]
    assert base.requests_of(A) == (wanted if base.is_hardened else left_there)


def test_w2_a_stranger_authorises_itself(base: Chain) -> None:
    base.at(3, 10)
    own = base.functions.requestAuthorizedWithdrawal(
        checksum(base.ether),
        20 * ETHER,
        FAR,
        *signed_request(base, E.address, 20 * ETHER, signer=E),
    )
    assert base.outcome(own, E) == ("a" if base.is_hardened else "done")


def test_w4_an_unproven_request_is_paid_before_the_halt(
    edition: str, w3: Web3, libraries: dict[str, bytes], published_libraries: dict[str, bytes]
) -> None:
    """In an eon of eight blocks the payment comes with the halt; ours begins at twelve."""
    if edition == "published":
        chain = Chain(w3, published_libraries, blocks_per_eon=8, artefacts=PUBLISHED_ARTEFACTS)
        window, payment = 3, 2
    else:
        chain = Chain(w3, libraries, blocks_per_eon=12)
        window, payment = 4, 4
    chain.at(1, 1).deposit(A, 10 * ETHER)
    chain.commit()
    chain.commit_each(2, 3, 0, {chain.ether: [(A.address, 10 * ETHER)]})
    chain.send(delegated(chain, E.address, 10 * ETHER, signer=E), OPERATOR)
    chain.at(4, 0).commit({chain.ether: [(A.address, 10 * ETHER)]})
    chain.at(4, window)
    opening = challenge_allotment(chain, chain.allotment(3, chain.ether, A.address))
    chain.send(opening, A, value=STAKE)
    answer = answer_state_update(chain, A, chain.allotment(4, chain.ether, A.address))
    assert chain.reason(answer, OPERATOR) == "b"
    chain.at(5, payment)
    paid = chain.outcome(chain.confirm(E), OPERATOR)
    assert paid == ("p" if chain.is_hardened else "done")
    assert chain.balance() == (10 * ETHER if chain.is_hardened else 0)


def test_w6_an_allotment_is_withdrawn_in_two_eons(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 10 * ETHER), A, value=BOND)
    base.at(4, 1).commit(shares(base, 0))
    second = base.outcome(base.request(A, 10 * ETHER), A, value=BOND)
    assert second == ("b" if base.is_hardened else "done")


def test_w9_the_pool_is_queued_for_the_zero_address(base: Chain) -> None:
    base.at(3, 10)
    call = base.functions.requestDelegatedWithdrawal(
        checksum(base.ether), checksum(bytes(20)), 20 * ETHER, FAR, bytes(32), bytes(32), 27
    )
    assert base.outcome(call, OPERATOR) == ("a" if base.is_hardened else "done")


def test_w10_an_authorisation_is_replayed_in_the_next_eon(base: Chain) -> None:
    base.at(3, 10)
    call = delegated(base, A.address, ETHER, signer=A)
    base.send(call, OPERATOR)
    base.at(4, 1).commit(shares(base, 9))
    assert base.outcome(call, OPERATOR) == ("a" if base.is_hardened else "done")


def test_w10_an_authorisation_slashes(base: Chain) -> None:
    """Block number and amount, read as eon and balance; the operator itself sends it here."""
    base.at(3, 10)
    base.send(base.request(A, 2 * ETHER), A, value=BOND)
    marker = signed_request(base, A.address, ETHER, signer=A)
    call = base.functions.slashWithdrawalWithProofOfMinimumAvailableBalance(
        checksum(base.ether), checksum(A.address), [FAR, ETHER], marker[:2], marker[2]
    )
    assert base.outcome(call, OPERATOR) == ("m" if base.is_hardened else "done")


def test_w11_a_wallet_slashes_itself_and_spoils_the_checkpoint(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 1), A, value=BOND)
    basis = base.accumulator(3)
    base.at(4, 1)
    slashed = base.outcome(slash(base, 3, 0), A)
    assert slashed == ("operator" if base.is_hardened else "done")
    submit = base.functions.submitCheckpoint(basis, bytes(32))
    assert base.outcome(submit, OPERATOR) == ("done" if base.is_hardened else "b")


def test_w30_a_slash_after_the_halt_locks_the_pool(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.commit_each(4, 5, 1, shares(base, 6))
    base.at(5, 20).send(base.confirm(A), A)
    base.commit_each(6, 8, 1, shares(base, 6))
    base.at(9, 5)
    base.send(base.request(A, ETHER), A, value=BOND)
    base.at(10, 1)
    slashed = base.outcome(slash(base, 9, 0), OPERATOR)
    assert slashed == ("p" if base.is_hardened else "done")
    recovery = base.recover(A, base.allotment(7, base.ether, A.address))
    assert base.outcome(recovery, A) == ("done" if base.is_hardened else "b")


def test_w31_an_old_request_comes_back_and_blocks_every_proof(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.commit_each(4, 5, 1, shares(base, 6))
    base.at(5, 20).send(base.confirm(A), A)
    base.commit_each(6, 10, 1, shares(base, 6))
    base.send(base.request(A, ETHER), A, value=BOND)
    assert base.pending(9) == (0 if base.is_hardened else 4 * ETHER)
    base.at(10, 16)
    base.send(challenge_agreement(State(base, B, trail=1, eon=9)), B, value=STAKE)
    answer = answer_state_update(base, B, base.allotment(10, base.ether, B.address))
    assert base.outcome(answer, OPERATOR) == ("done" if base.is_hardened else "b")


def test_w31_a_payment_of_nothing_in_every_eon_keeps_the_total_true(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.commit_each(4, 5, 1, shares(base, 6))
    base.at(5, 20).send(base.confirm(A), A)
    for eon in range(6, 11):
        base.at(eon, 1).commit(shares(base, 6))
        base.send(base.confirm(OPERATOR), OPERATOR)
    assert base.pending(9) == base.pending(10) == 0
    base.send(base.request(A, ETHER), A, value=BOND)
    assert (base.pending(9), base.pending(10)) == (0, ETHER)


def test_w32_a_request_is_paid_and_then_recovered(base: Chain) -> None:
    base.at(4, 1).commit(shares(base, 10))
    base.at(4, 2)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.at(5, 1).commit(shares(base, 6))
    base.at(6, 20).send(base.confirm(A), A)
    base.at(7, 0)
    base.send(base.recover(A, base.allotment(4, base.ether, A.address)), A)
    last = base.outcome(base.recover(B, base.allotment(4, base.ether, B.address)), B)
    assert last == ("done" if base.is_hardened else "f")


def test_w33_a_slash_takes_what_the_checkpoint_has_deducted(base: Chain) -> None:
    base.at(4, 1).commit(shares(base, 10))
    base.at(4, 2)
    base.send(base.request(A, 2 * ETHER), A, value=BOND)
    base.at(5, 1).commit(shares(base, 8))
    base.send(base.request(A, 3 * ETHER), A, value=BOND)
    base.send(slash(base, 5, ETHER), OPERATOR)
    left = [(4, 2 * ETHER)] if base.is_hardened else []
    assert base.requests_of(A) == left
    base.at(5, 16)
    opening = challenge_allotment(base, base.allotment(4, base.ether, A.address))
    base.send(opening, A, value=STAKE)
    answer = answer_state_update(base, A, base.allotment(5, base.ether, A.address))
    assert base.outcome(answer, OPERATOR) == ("done" if base.is_hardened else "B")


def test_w5_the_operator_destroys_the_last_usable_root(base: Chain) -> None:
    base.at(7, 16)
    forged = State(base, OPERATOR, trail=0, eon=6, spent=1)
    opened = base.outcome(challenge_agreement(forged), OPERATOR, value=STAKE)
    assert opened == ("p" if base.is_hardened else "done")
    recovery = base.recover(A, base.allotment(2, base.ether, A.address))
    assert base.outcome(recovery, A) == ("done" if base.is_hardened else "r")


@pytest.mark.parametrize("blocks_per_eon", [1, 3, 8])
def test_w23_an_eon_without_time_is_deployed(
    edition: str,
    w3: Web3,
    libraries: dict[str, bytes],
    published_libraries: dict[str, bytes],
    blocks_per_eon: int,
) -> None:
    sender = Sender(w3, OPERATOR.private_key)
    if edition == "published":
        create_commit_chain(
            sender,
            blocks_per_eon=blocks_per_eon,
            operator=OPERATOR.address,
            libraries=published_libraries,
            artefacts=PUBLISHED_ARTEFACTS,
        )
        return
    with pytest.raises(ContractLogicError, match="eon"):
        create_commit_chain(
            sender,
            blocks_per_eon=blocks_per_eon,
            operator=OPERATOR.address,
            libraries=libraries,
        )
