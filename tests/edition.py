"""The edition of the contract that a test run is about: ours, or `--edition published`.

Both editions have the same rules for wallets, so the operator's tests say nothing of it: they take
whatever the run is about. What holds on one edition only is marked `@pytest.mark.only_on(edition)`.
"""

from pathlib import Path

from contracts.artefacts import ARTEFACTS, PUBLISHED_ARTEFACTS
from protocol.editions import ContractEdition

_chosen = ContractEdition.HARDENED


def choose_edition(edition: ContractEdition) -> None:
    """Make the rest of this process's tests run on `edition`."""
    global _chosen
    _chosen = edition


def chosen_edition() -> ContractEdition:
    """The edition that this run is about."""
    return _chosen


def artefacts_of(edition: ContractEdition) -> Path:
    """The folder of an edition's compiled contracts."""
    return ARTEFACTS if edition is ContractEdition.HARDENED else PUBLISHED_ARTEFACTS
