"""What the two editions of the contract allow differs in one place only."""

import pytest

from protocol.editions import HARDENED_NAME, ContractEdition, UnknownEdition

HARDENED, PUBLISHED = ContractEdition.HARDENED, ContractEdition.PUBLISHED


def test_a_contract_without_an_edition_is_the_published_one() -> None:
    assert ContractEdition.of_answer(None) is PUBLISHED
    assert ContractEdition.of_answer(HARDENED_NAME) is HARDENED
    with pytest.raises(UnknownEdition):
        ContractEdition.of_answer("nocust-hardened-2")
    assert PUBLISHED.needs_acceptance and not HARDENED.needs_acceptance


@pytest.mark.parametrize(
    ("given", "hardened", "published"), [(49, False, True), (50, True, True), (51, True, False)]
)
def test_the_price_rule_points_the_other_way_on_the_published_contract(
    given: int, hardened: bool, published: bool
) -> None:
    answer = {"sell": 100, "buy": 50, "taken": 100, "given": given}
    assert HARDENED.accepts_price(**answer) is hardened
    assert PUBLISHED.accepts_price(**answer) is published


def test_only_the_published_contract_needs_improvement_held_back() -> None:
    order = {"sell": 1000, "buy": 500, "matched_out": 1000, "matched_in": 700}
    assert HARDENED.hold_back(**order) == 0
    assert PUBLISHED.hold_back(**order) == 700 - (100 * 5000 + 99) // 1000


def test_an_answer_after_a_requested_withdrawal_underflows_only_on_the_published_contract() -> None:
    moved = {"start": 0, "gained": 0, "passive_amount": 0, "deposits": 0}
    assert HARDENED.swap_answer_base(**moved, withdrawals=5, spent=1) == -6
    assert PUBLISHED.swap_answer_base(**moved, withdrawals=5, spent=1) is None


def test_only_the_hardened_contract_deducts_requests_of_the_last_eon() -> None:
    asked = {"allotment": 100, "requests_of_last_eon": 70, "requests_of_this_eon": 20}
    assert HARDENED.withdrawable_allotment(**asked) == 10
    assert PUBLISHED.withdrawable_allotment(**asked) == 80


def test_the_hardened_contract_pays_only_what_a_later_checkpoint_deducted() -> None:
    assert [HARDENED.pays_request(3, last_submission_eon=s) for s in (4, 5)] == [False, True]
    assert PUBLISHED.pays_request(3, last_submission_eon=4)


def test_markers_serve_three_eons_and_from_the_future_only_on_the_published_contract() -> None:
    eons = range(3, 10)
    assert [e for e in eons if HARDENED.accepts_marker(5, eon=e)] == [5, 6, 7]
    assert [e for e in eons if PUBLISHED.accepts_marker(5, eon=e)] == [3, 4, 5, 6, 7]


def test_a_slash_spares_requests_that_a_checkpoint_deducted() -> None:
    assert HARDENED.slashed_eons(5, last_submission_eon=4) == (4, 5)
    assert HARDENED.slashed_eons(5, last_submission_eon=5) == (5,)
    assert PUBLISHED.slashed_eons(5, last_submission_eon=5) == (4, 5)


@pytest.mark.parametrize("allowed", ["may_open_challenge", "may_slash"])
def test_a_halt_stops_challenges_and_slashes_only_on_the_hardened_contract(allowed: str) -> None:
    for edition in ContractEdition:
        assert getattr(edition, allowed)(halted=False)
    assert not getattr(HARDENED, allowed)(halted=True)
    assert getattr(PUBLISHED, allowed)(halted=True)
