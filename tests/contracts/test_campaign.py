"""A short campaign; the long one is `python -m tests.contracts.campaign`."""

import pytest
from web3 import Web3

from .campaign.machine import Machine


@pytest.mark.parametrize("seed", [1, 2])
def test_no_step_breaks_what_must_hold(w3: Web3, libraries: dict[str, bytes], seed: int) -> None:
    machine = Machine(w3, libraries, seed)
    for _ in range(60):
        machine.step()
    assert sum(machine.report.steps.values()) >= 60


def test_after_a_halt_everybody_recovers_exactly_their_own(
    w3: Web3, libraries: dict[str, bytes]
) -> None:
    machine = Machine(w3, libraries, 3)
    for _ in range(40):
        machine.step()
    machine.halt()
    assert machine.report.halts >= 1
