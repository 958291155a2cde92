"""The campaign's oracle is sharp: the original contract does not survive it."""

import pytest
from web3 import Web3

from contracts.artefacts import PUBLISHED_ARTEFACTS

from ..campaign.machine import Machine


@pytest.mark.parametrize("seed", [1, 2])
def test_the_published_edition_breaks_what_must_hold(
    w3: Web3, published_libraries: dict[str, bytes], seed: int
) -> None:
    machine = Machine(w3, published_libraries, seed, artefacts=PUBLISHED_ARTEFACTS)
    with pytest.raises(AssertionError):
        for _ in range(400):
            machine.step()
