"""What the operator believes of an edition is what that edition does."""

import pytest
from web3.exceptions import ContractLogicError

from chain.events import CheckpointSubmission, Deposit, TokenRegistered, WithdrawalRequest
from chain.funds import read_bound
from chain.gateway import ContractGateway
from chain.logs import fetch_events
from chain.node import Node
from protocol.editions import ContractEdition

from ..disputes import STAKE
from ..harness import BOND, ETHER, OPERATOR, A, B, Chain
from ..trading import register_token, traded
from .test_withdrawal_weaknesses import shares, slash


def gateway(chain: Chain) -> ContractGateway:
    url = str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    return ContractGateway(Node(url), chain.address)


def edition_of(chain: Chain) -> ContractEdition:
    return gateway(chain).parameters().edition


def reason_of(chain: Chain, call: object) -> str:
    """Why a call of the operator would fail in the next block; `done` if it would not."""
    try:
        chain.next(call)
    except ContractLogicError as refusal:
        return str(refusal.message).rpartition(": ")[2]
    return "done"


def test_the_operator_tells_the_editions_apart(chain: Chain) -> None:
    expected = ContractEdition.HARDENED if chain.is_hardened else ContractEdition.PUBLISHED
    assert edition_of(chain) is expected
    assert gateway(chain).parameters().genesis_block == chain.genesis


def test_the_operator_reads_facts_events_and_bound(base: Chain) -> None:
    register_token(base)
    base.at(3, 10)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    contract = gateway(base)
    facts = contract.submission_facts()
    assert (facts.eon, facts.is_submitted, facts.is_halted) == (3, True, False)
    assert facts.basis == base.accumulator(2) and facts.accumulator == base.accumulator(3)
    head = base.w3.eth.block_number
    events = fetch_events(contract.node, base.address, base.genesis, head)
    kinds = [type(event) for event in events]
    assert kinds.count(Deposit) == 2 and kinds.count(CheckpointSubmission) == 3
    assert kinds.count(WithdrawalRequest) == 1
    assert kinds.count(TokenRegistered) == (1 if base.is_hardened else 0)
    assert read_bound(contract, base.ether, 3).limit == 20 * ETHER
    base.at(4, 1)
    assert read_bound(contract, base.ether, 4).limit == 16 * ETHER


@pytest.mark.parametrize("asked", [0, 3, 10])
def test_what_may_be_withdrawn(base: Chain, asked: int) -> None:
    base.at(3, 10)
    base.send(base.request(A, asked * ETHER), A, value=BOND)
    base.at(4, 1).commit(shares(base, 10 - asked))
    base.send(base.request(A, 0), A, value=BOND)
    allowed = edition_of(base).withdrawable_allotment(
        allotment=10 * ETHER, requests_of_last_eon=asked * ETHER, requests_of_this_eon=0
    )
    assert base.outcome(base.request(A, allowed + 1), A, value=BOND) == "b"
    assert base.outcome(base.request(A, allowed), A, value=BOND) == "done"


def test_which_markers_slash(base: Chain) -> None:
    base.commit_each(4, 5, 1, shares(base, 10))
    base.send(base.request(A, ETHER), A, value=BOND)
    edition = edition_of(base)
    for marker_eon in range(1, 9):
        accepted = edition.accepts_marker(marker_eon, eon=5)
        assert reason_of(base, slash(base, marker_eon, 0)) == ("done" if accepted else "m")


@pytest.mark.parametrize("submitted", [False, True])
def test_what_a_slash_takes(base: Chain, *, submitted: bool) -> None:
    base.at(4, 1).commit(shares(base, 10))
    base.at(4, 2)
    base.send(base.request(A, 2 * ETHER), A, value=BOND)
    base.at(5, 1)
    if submitted:
        base.commit(shares(base, 8))
    base.send(base.request(A, 3 * ETHER), A, value=BOND)
    eons = edition_of(base).slashed_eons(5, last_submission_eon=5 if submitted else 4)
    amounts = {4: 2 * ETHER, 5: 3 * ETHER}
    taken = base.next(slash(base, 5, 0))
    assert taken == [amounts[eon] if eon in eons else 0 for eon in (4, 5)]


def test_which_requests_are_paid(base: Chain) -> None:
    base.at(4, 1).commit(shares(base, 10))
    base.at(4, 2)
    base.send(base.request(A, 4 * ETHER), A, value=BOND)
    base.at(5, 1).commit(shares(base, 6))
    base.at(6, 20)
    paid = edition_of(base).pays_request(4, last_submission_eon=5)
    assert base.next(base.confirm(A)) == (4 * ETHER if paid else 0)


def test_whether_slashes_outlive_the_halt(base: Chain) -> None:
    base.at(4, 1)
    base.send(base.request(A, ETHER), A, value=BOND)
    base.at(5, 1)
    allowed = edition_of(base).may_slash(halted=True)
    assert reason_of(base, slash(base, 4, 0)) == ("done" if allowed else "p")


@pytest.mark.parametrize(
    ("sold", "bought"),
    [(10, 0), (10, 4), (10, 5), (10, 6), (5, 2), (5, 3), (0, 0), (0, 1), (1, 1)],
)
def test_which_prices_are_accepted(chain: Chain, sold: int, bought: int) -> None:
    swap = traded(chain, register_token(chain))
    swap.commit((40 - sold) * ETHER, (50 + bought) * ETHER)
    chain.send(swap.challenge(), A, value=STAKE)
    accepted = edition_of(chain).accepts_price(
        sell=10 * ETHER, buy=5 * ETHER, taken=sold * ETHER, given=bought * ETHER
    )
    assert chain.outcome(swap.answer(), OPERATOR) == ("done" if accepted else "v")


def test_the_other_wallet_is_left_alone(base: Chain) -> None:
    """A slash of one holder leaves another's requests."""
    base.at(3, 10)
    base.send(base.request(A, ETHER), A, value=BOND)
    base.send(base.request(B, ETHER), B, value=BOND)
    base.send(slash(base, 3, 0), OPERATOR)
    assert (base.requests_of(A), base.requests_of(B)) == ([], [(3, ETHER)])
