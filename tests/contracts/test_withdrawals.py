"""Requests, payments and signed requests, on our commit-chain on a real node."""

from dataclasses import replace

import pytest

from protocol.accumulator import Operation, accumulate
from protocol.encoding import ZERO_HASH
from protocol.withdrawals import delegated_withdrawal_digest

from .harness import BOND, ETHER, GAS_PRICE, OPERATOR, A, B, Chain, D, E, checksum, signature_parts

FAR = 10**9


def test_a_request_is_recorded_and_its_bond_goes_to_the_operator(base: Chain) -> None:
    base.at(3, 10)
    operators, pool, before = base.balance(OPERATOR.address), base.balance(), base.accumulator(3)
    outcome = base.send(base.request(A, 4 * ETHER), A, value=BOND)
    assert outcome.named("WithdrawalRequest") == [
        {"token": checksum(base.ether), "requestor": checksum(A.address), "amount": 4 * ETHER}
    ]
    assert base.requests_of(A) == [(3, 4 * ETHER)]
    assert [base.pending(eon) for eon in (2, 3, 4, 5)] == [0, 4 * ETHER, 4 * ETHER, 4 * ETHER]
    assert base.accumulator(3) == accumulate(
        before,
        eon=3,
        token=base.ether,
        participant=A.address,
        operation=Operation.WITHDRAWAL_REQUEST,
        value=4 * ETHER,
    )
    assert base.balance(OPERATOR.address) == operators + BOND
    assert base.balance() == pool


@pytest.mark.parametrize(("value", "gas_price"), [(BOND - 1, GAS_PRICE), (BOND, 2 * GAS_PRICE)])
def test_a_bond_below_either_price_is_refused(base: Chain, value: int, gas_price: int) -> None:
    base.at(3, 10)
    refused = base.reason(base.request(A, ETHER), A, value=value, gas_price=gas_price)
    assert refused == "r"


def test_requests_of_one_eon_share_the_allotment(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 6 * ETHER), A, value=BOND)
    assert base.reason(base.request(A, 5 * ETHER), A, value=BOND) == "b"
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.send(base.request(A, 0), A, value=BOND)
    assert base.requests_of(A) == [(3, 6 * ETHER), (3, 4 * ETHER), (3, 0)]


def test_requests_of_the_previous_eon_still_count_against_its_checkpoint(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 10 * ETHER), A, value=BOND)
    base.at(4, 1).commit({base.ether: [(A.address, 0), (B.address, 10 * ETHER)]})
    base.at(4, 5)
    assert base.reason(base.request(A, ETHER), A, value=BOND) == "b"


def test_broken_proofs_are_refused_with_their_reason(base: Chain) -> None:
    base.at(3, 10)
    leaf = base.allotment(2, base.ether, A.address)
    left, right = leaf.interval
    broken = {
        "p": replace(leaf, values=[]),
        "-": replace(leaf, interval=(right, left)),
        "x": replace(leaf, interval=(left, 20 * ETHER + 1)),
        "m": replace(leaf, allotment_chain=[bytes(32)]),
        "l": replace(leaf, interval=(left + 1, right)),
    }
    for reason, proof in broken.items():
        assert base.reason(base.request_with(proof, ETHER), A, value=BOND) == reason
    stretched = replace(leaf, interval=(left, right + 1))
    assert base.reason(base.request_with(stretched, ETHER), A, value=BOND) == "m"
    beyond = replace(leaf, trail=leaf.trail + 2)
    assert base.reason(base.request_with(beyond, ETHER), A, value=BOND) == "m"
    last = base.allotment(2, base.ether, B.address)
    wider = replace(last, interval=(last.interval[0], last.interval[1] + 1))
    assert base.reason(base.request_with(wider, ETHER), B, value=BOND) == "m"
    assert base.reason(base.request_with(leaf, ETHER), B, value=BOND) == "m"
    assert base.reason(base.request_with(leaf, ETHER, token=D.address), A, value=BOND) == "m"
    assert base.requests_of(A) == []


def test_only_the_checkpoint_of_the_eon_before_proves_a_request(chain: Chain) -> None:
    allotments = {chain.ether: [(A.address, 10 * ETHER)]}
    chain.at(1, 2).deposit(A, 10 * ETHER)
    chain.at(1, 10).commit()
    chain.at(2, 1).commit(allotments)
    newest = chain.allotment(2, chain.ether, A.address)
    assert chain.reason(chain.request_with(newest, ETHER), A, value=BOND) == "m"
    chain.at(3, 0).send(chain.request_with(newest, ETHER), A, value=BOND)
    chain.at(3, 5).commit({chain.ether: [(A.address, 9 * ETHER)]})
    chain.at(4, 1)
    assert chain.reason(chain.request_with(newest, ETHER), A, value=BOND) == "m"


def test_payment_waits_for_its_block_and_happens_once(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.send(base.request(B, 8 * ETHER), B, value=BOND)
    base.commit_each(4, 5, 1, {base.ether: [(A.address, 6 * ETHER), (B.address, 2 * ETHER)]})
    base.at(5, 19)
    early = base.send(base.confirm(A), D)
    assert early.events == [] and base.requests_of(A) == [(3, 4 * ETHER)]
    held = base.balance(A.address)
    assert base.next(base.confirm(A)) == 4 * ETHER
    paid = base.send(base.confirm(A), D)
    assert [event["amount"] for event in paid.named("WithdrawalConfirmation")] == [4 * ETHER]
    assert base.balance(A.address) == held + 4 * ETHER
    assert base.requests_of(A) == []
    confirmed = base.functions.getConfirmedWithdrawalsAtSlot(checksum(base.ether), 0).call()
    assert confirmed == [5, 4 * ETHER]
    assert base.send(base.confirm(A), A).events == []
    assert base.requests_of(B) == [(3, 8 * ETHER)]
    base.send(base.confirm(B), D)
    assert base.balance() == 8 * ETHER and base.pending(5) == 0


def test_nothing_is_payable_in_the_eon_after_the_request(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.at(4, 1).commit({base.ether: [(A.address, 6 * ETHER), (B.address, 10 * ETHER)]})
    base.at(4, 59)
    assert base.next(base.confirm(A)) == 0


def test_a_partial_payment_keeps_the_younger_requests_in_order(base: Chain) -> None:
    base.at(3, 10)
    for amount in (1, 2):
        base.send(base.request(A, amount * ETHER), A, value=BOND)
    rest = {base.ether: [(A.address, 7 * ETHER), (B.address, 10 * ETHER)]}
    base.commit_each(4, 5, 1, rest)
    tenth = ETHER // 10
    for amount in (1, 2, 3):
        base.send(base.request(A, amount * tenth), A, value=BOND)
    base.at(5, 25)
    held = base.balance(A.address)
    base.send(base.confirm(A), D)
    assert base.balance(A.address) == held + 3 * ETHER
    assert base.requests_of(A) == [(5, tenth), (5, 2 * tenth), (5, 3 * tenth)]
    assert base.pending(5) == 6 * tenth


def test_requests_of_nothing_are_dropped_without_an_event(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 0), A, value=BOND)
    base.commit_each(4, 5, 1)
    outcome = base.at(5, 20).send(base.confirm(A), A)
    assert outcome.events == [] and base.requests_of(A) == []


def test_a_request_is_paid_only_under_a_root_two_eons_younger(base: Chain) -> None:
    everything = {base.ether: [(A.address, 10 * ETHER), (B.address, 10 * ETHER)]}
    deducted = {base.ether: [(A.address, 6 * ETHER), (B.address, 10 * ETHER)]}
    base.at(4, 1).commit(everything)
    base.at(4, 2)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.at(5, 1).commit(deducted)
    base.at(6, 20)
    assert base.next(base.confirm(A)) == 0
    base.commit(deducted)
    assert base.next(base.confirm(A)) == 4 * ETHER


def test_a_request_without_the_next_root_is_recovered_once_not_paid_twice(base: Chain) -> None:
    base.at(4, 1).commit({base.ether: [(A.address, 10 * ETHER), (B.address, 10 * ETHER)]})
    base.at(4, 2)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.at(5, 1).commit({base.ether: [(A.address, 6 * ETHER), (B.address, 10 * ETHER)]})
    assert base.at(6, 30).send(base.confirm(A), A).events == []
    base.at(7, 0)
    for wallet in (A, B):
        leaf = base.allotment(4, base.ether, wallet.address)
        held = base.balance(wallet.address)
        outcome = base.send(base.recover(wallet, leaf), D)
        assert base.balance(wallet.address) == held + 10 * ETHER
        assert [event["amount"] for event in outcome.named("FundsRecovered")] == [10 * ETHER]
    assert base.balance() == 0


def _authorization(chain: Chain, holder: bytes, expiry: int, amount: int) -> bytes:
    return delegated_withdrawal_digest(
        contract=chain.address,
        token=chain.ether,
        holder=holder,
        expiry_block=expiry,
        amount=amount,
        pending=0,
    )


def test_an_authorised_request_needs_the_operators_signature(base: Chain) -> None:
    base.at(3, 10)
    message = _authorization(base, E.address, FAR, 20 * ETHER)
    token = checksum(base.ether)
    own = base.functions.requestAuthorizedWithdrawal(
        token, 20 * ETHER, FAR, *signature_parts(message, E)
    )
    assert base.reason(own, E) == "a"
    granted = base.functions.requestAuthorizedWithdrawal(
        token, 20 * ETHER, FAR, *signature_parts(message, OPERATOR)
    )
    assert base.reason(granted, A) == "a"
    outcome = base.send(granted, E)
    assert [event["amount"] for event in outcome.named("WithdrawalRequest")] == [20 * ETHER]


def test_a_delegation_works_once_and_only_from_the_operator(base: Chain) -> None:
    base.at(3, 10)
    token, holder = checksum(base.ether), checksum(A.address)
    parts = signature_parts(_authorization(base, A.address, FAR, ETHER), A)
    delegated = base.functions.requestDelegatedWithdrawal(token, holder, ETHER, FAR, *parts)
    assert base.reason(delegated, B) == "operator"
    base.send(delegated, OPERATOR)
    assert base.reason(delegated, OPERATOR) == "a"
    base.at(4, 1).commit()
    assert base.reason(delegated, OPERATOR) == "a"
    assert base.requests_of(A) == [(3, ETHER)]


def test_a_delegation_ends_with_its_expiry_block(base: Chain) -> None:
    base.at(3, 10)
    expiry = base.w3.eth.block_number + 2
    parts = signature_parts(_authorization(base, A.address, expiry, ETHER), A)
    call = base.functions.requestDelegatedWithdrawal(
        checksum(base.ether), checksum(A.address), ETHER, expiry, *parts
    )
    base.at(3, 12)
    assert base.reason(call, OPERATOR) == "expired"


def test_a_delegation_is_good_in_its_expiry_block(base: Chain) -> None:
    base.at(3, 10)
    expiry = base.w3.eth.block_number + 1
    parts = signature_parts(_authorization(base, A.address, expiry, ETHER), A)
    base.send(
        base.functions.requestDelegatedWithdrawal(
            checksum(base.ether), checksum(A.address), ETHER, expiry, *parts
        ),
        OPERATOR,
    )


def test_nobody_is_the_zero_address(base: Chain) -> None:
    base.at(3, 10)
    call = base.functions.requestDelegatedWithdrawal(
        checksum(base.ether), checksum(bytes(20)), ETHER, FAR, ZERO_HASH, ZERO_HASH, 27
    )
    assert base.reason(call, OPERATOR) == "a"


def test_a_signed_request_names_the_cumulative_amount(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 2 * ETHER), A, value=BOND)
    token, holder = checksum(base.ether), checksum(A.address)

    def delegated(signed: int) -> object:
        parts = signature_parts(_authorization(base, A.address, FAR, signed), A)
        return base.functions.requestDelegatedWithdrawal(token, holder, 3 * ETHER, FAR, *parts)

    assert base.reason(delegated(3 * ETHER), OPERATOR) == "a"  # type: ignore[arg-type]
    base.send(delegated(5 * ETHER), OPERATOR)  # type: ignore[arg-type]
    assert base.requests_of(A) == [(3, 2 * ETHER), (3, 3 * ETHER)]


def test_requests_never_exceed_what_the_contract_holds(base: Chain) -> None:
    base.at(3, 10)
    parts = signature_parts(_authorization(base, E.address, FAR, 20 * ETHER + 1), OPERATOR)
    call = base.functions.requestAuthorizedWithdrawal(
        checksum(base.ether), 20 * ETHER + 1, FAR, *parts
    )
    assert base.reason(call, E) == "b"
