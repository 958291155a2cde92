"""When a slash may be decided, on both editions of the contract."""

import pytest

from protocol.editions import ContractEdition
from protocol.slashing import SlashMoment, slashable_eons

EON = 5


def eons(
    edition: ContractEdition, *, closed: bool, final: bool, deducted: bool = False
) -> tuple[int, ...]:
    moment = SlashMoment(EON, last_is_closed=closed, root_is_final=final)
    return slashable_eons(edition, moment, last_is_deducted=deducted)


@pytest.mark.parametrize("edition", ContractEdition)
@pytest.mark.parametrize("deducted", [False, True])
def test_before_the_last_eon_is_closed_both_eons_requests_are_dropped(
    edition: ContractEdition, deducted: bool
) -> None:
    assert eons(edition, closed=False, final=False, deducted=deducted) == (4, 5)


@pytest.mark.parametrize("edition", ContractEdition)
@pytest.mark.parametrize("deducted", [False, True])
def test_nothing_is_decided_between_the_closing_and_the_final_root(
    edition: ContractEdition, deducted: bool
) -> None:
    assert eons(edition, closed=True, final=False, deducted=deducted) == ()


@pytest.mark.parametrize("deducted", [False, True])
def test_ours_leaves_alone_what_a_final_root_has_deducted(deducted: bool) -> None:
    found = eons(ContractEdition.HARDENED, closed=True, final=True, deducted=deducted)
    assert found == (5,)


def test_the_published_one_waits_for_the_next_eon_if_it_would_drop_what_was_deducted() -> None:
    edition = ContractEdition.PUBLISHED
    assert eons(edition, closed=True, final=True, deducted=True) == ()
    assert eons(edition, closed=True, final=True, deducted=False) == (5,)


@pytest.mark.parametrize("edition", ContractEdition)
def test_every_request_can_be_slashed_in_time_before_its_own_eon_is_closed(
    edition: ContractEdition,
) -> None:
    """Whatever had to wait in eon 5: in eon 6, before 5 is closed, its requests are dropped."""
    moment = SlashMoment(EON + 1, last_is_closed=False, root_is_final=False)
    assert EON in slashable_eons(edition, moment, last_is_deducted=True)
