"""Slashing with markers, and the running pending total, on a real node."""

import pytest

from contracts.development import DevelopmentAccount
from protocol.accumulator import Operation, accumulate
from protocol.markers import minimum_available_balance_digest

from .harness import BOND, ETHER, OPERATOR, A, B, Chain, checksum, signature_parts


def slash(chain: Chain, eon: int, amount: int, *, signer: DevelopmentAccount = A) -> object:
    marker = minimum_available_balance_digest(
        contract=chain.address, token=chain.ether, wallet=A.address, eon=eon, amount=amount
    )
    r, s, v = signature_parts(marker, signer)
    return chain.functions.slashWithdrawalWithProofOfMinimumAvailableBalance(
        checksum(chain.ether), checksum(A.address), [eon, amount], [r, s], v
    )


@pytest.fixture
def requested(base: Chain) -> Chain:
    """A asked for 1 and 1 in eon 4 and 1 in eon 5, whose checkpoint is missing yet."""
    balances = {base.ether: [(A.address, 10 * ETHER), (B.address, 10 * ETHER)]}
    base.at(4, 1).commit(balances)
    for _ in range(2):
        base.send(base.request(A, ETHER), A, value=BOND)
    base.at(5, 1)
    base.send(base.request(A, ETHER), A, value=BOND)
    return base


def test_a_slash_cancels_both_eons_and_writes_both_accumulators(requested: Chain) -> None:
    chain = requested
    before = {eon: chain.accumulator(eon) for eon in (4, 5)}
    chain.at(5, 3)
    call = slash(chain, 4, 0)
    pool = chain.balance()
    assert chain.next(call) == [2 * ETHER, ETHER]
    outcome = chain.send(call, OPERATOR)  # type: ignore[arg-type]
    assert outcome.named("WithdrawalSlashed") == [
        {
            "token": checksum(chain.ether),
            "requestor": checksum(A.address),
            "eon": 5,
            "previousEonAmount": 2 * ETHER,
            "currentEonAmount": ETHER,
        }
    ]
    assert chain.requests_of(A) == []
    assert chain.pending(4) == 0 and chain.pending(5) == 0
    for eon, value in ((4, 2 * ETHER), (5, ETHER)):
        assert chain.accumulator(eon) == accumulate(
            before[eon],
            eon=eon,
            token=chain.ether,
            participant=A.address,
            operation=Operation.WITHDRAWAL_CANCELLATION,
            value=value,
        )
    assert chain.balance() == pool


def test_a_slash_needs_operator_fresh_marker_signature_and_excess(requested: Chain) -> None:
    chain = requested
    refusals = [
        (slash(chain, 5, 3 * ETHER), OPERATOR, "covered"),
        (slash(chain, 2, 0), OPERATOR, "m"),
        (slash(chain, 6, 0), OPERATOR, "m"),
        (slash(chain, 1_000_000, 0), OPERATOR, "m"),
        (slash(chain, 4, 0), A, "operator"),
        (slash(chain, 4, 0), B, "operator"),
        (slash(chain, 4, 0, signer=B), OPERATOR, "marker"),
    ]
    for call, sender, reason in refusals:
        assert chain.reason(call, sender) == reason  # type: ignore[arg-type]
    assert len(chain.requests_of(A)) == 3


@pytest.mark.parametrize("marker_eon", [3, 4, 5])
def test_markers_of_three_eons_are_good(requested: Chain, marker_eon: int) -> None:
    requested.send(slash(requested, marker_eon, 3 * ETHER - 1), OPERATOR)  # type: ignore[arg-type]
    assert requested.requests_of(A) == []


def test_a_slash_takes_nothing_that_a_checkpoint_has_deducted(requested: Chain) -> None:
    chain = requested
    chain.commit({chain.ether: [(A.address, 8 * ETHER), (B.address, 10 * ETHER)]})
    before = chain.accumulator(4)
    call = slash(chain, 5, ETHER - 1)
    assert chain.next(call) == [0, ETHER]
    chain.send(call, OPERATOR)  # type: ignore[arg-type]
    assert chain.requests_of(A) == [(4, ETHER), (4, ETHER)]
    assert chain.accumulator(4) == before
    assert chain.pending(4) == 2 * ETHER and chain.pending(5) == 2 * ETHER
    assert chain.reason(slash(chain, 5, 0), OPERATOR) == "covered"  # type: ignore[arg-type]


def test_nothing_is_slashed_after_the_halt(requested: Chain) -> None:
    requested.at(6, 0)
    assert requested.reason(slash(requested, 5, 0), OPERATOR) == "p"  # type: ignore[arg-type]


def test_a_stale_basis_is_refused_after_a_slash_of_the_previous_eon(requested: Chain) -> None:
    chain = requested
    basis = chain.accumulator(4)
    chain.send(slash(chain, 4, 0), OPERATOR)  # type: ignore[arg-type]
    assert chain.reason(chain.functions.submitCheckpoint(basis, bytes(32)), OPERATOR) == "b"
    chain.commit({chain.ether: [(A.address, 10 * ETHER), (B.address, 10 * ETHER)]})


def test_the_running_pending_total_has_no_holes(base: Chain) -> None:
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    rest = {base.ether: [(A.address, 6 * ETHER), (B.address, 10 * ETHER)]}
    base.commit_each(4, 5, 1, rest)
    base.at(5, 20).send(base.confirm(A), A)
    base.commit_each(6, 10, 1, rest)
    base.send(base.request(A, ETHER), A, value=BOND)
    assert [base.pending(eon) for eon in (6, 8, 9, 10)] == [0, 0, 0, ETHER]
    leaf = base.allotment(10, base.ether, B.address)
    assert verifies(base, 10, leaf)


def verifies(chain: Chain, eon: int, leaf: object) -> bool:
    return bool(
        chain.functions.verifyProofOfExclusiveAccountBalanceAllotment(
            checksum(chain.ether),
            checksum(B.address),
            leaf.checksums,  # type: ignore[attr-defined]
            leaf.trail,  # type: ignore[attr-defined]
            [eon, 0, 0],
            leaf.allotment_chain,  # type: ignore[attr-defined]
            leaf.membership_chain,  # type: ignore[attr-defined]
            leaf.values,  # type: ignore[attr-defined]
            list(leaf.interval),  # type: ignore[attr-defined]
        ).call()
    )
