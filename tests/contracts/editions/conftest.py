"""Every test of this folder runs on both editions of the contract."""

import pytest
from web3 import Web3

from contracts.artefacts import ARTEFACTS, PUBLISHED_ARTEFACTS
from contracts.deployment import deploy_libraries
from contracts.development import development_account
from contracts.sending import Sender

from ..harness import Chain


@pytest.fixture(scope="session")
def published_libraries(w3: Web3) -> dict[str, bytes]:
    sender = Sender(w3, development_account(9).private_key)
    return deploy_libraries(sender, artefacts=PUBLISHED_ARTEFACTS)[0]


@pytest.fixture(params=["hardened", "published"])
def edition(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def chain(
    edition: str,
    w3: Web3,
    libraries: dict[str, bytes],
    published_libraries: dict[str, bytes],
) -> Chain:
    """A fresh commit-chain of one edition."""
    if edition == "hardened":
        return Chain(w3, libraries, artefacts=ARTEFACTS)
    return Chain(w3, published_libraries, artefacts=PUBLISHED_ARTEFACTS)
