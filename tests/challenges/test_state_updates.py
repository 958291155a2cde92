"""State-update challenges of a real operator, on both editions."""

import pytest

from duties.challenges import Standing
from protocol.editions import ContractEdition
from tests.challenges.challenging import Challengers
from tests.challenges.live import LiveBank, LiveWorld

NAMES = ("ann", "bob", "cas", "dee")


def open_accounts(world: LiveWorld) -> None:
    for name in NAMES:
        world.admit(name)
    for name in NAMES[:2]:
        world.deposit(name, 1_000)


@pytest.mark.parametrize("edition", ContractEdition)
def test_wallets_with_and_without_an_allotment_are_answered(
    world: LiveWorld, bank: LiveBank, challengers: Challengers
) -> None:
    open_accounts(world)
    bank.checkpoint(1)
    bank.must_pay("ann", "bob", 300, 1)
    bank.must_pay("bob", "cas", 200, 2)
    bank.turn()
    world.move_to_challenges()
    for name in NAMES:
        challengers.dispute_balance(name)
    assert world.live() == len(NAMES)
    kinds = {(row.kind, row.status, row.initial_state_eon) for row in world.challenges()}
    assert kinds == {("state_update", "open", 1)}
    trials = world.answer_all()
    assert {trial.standing for trial in trials} == {Standing.READY}
    assert world.live() == 0
    assert {row.status for row in world.challenges()} == {"answered"}
    # The next eon, with allotments in the checkpoint before.
    bank.must_pay("ann", "dee", 50, 3)
    bank.turn()
    world.move_to_challenges()
    for name in NAMES:
        challengers.dispute_balance(name)
    assert world.live() == len(NAMES)
    world.answer_all()
    assert world.live() == 0
    bank.turn()
