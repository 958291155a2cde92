"""The live world of the challenges' tests, three blocks deep and with longer eons."""

import pytest

from tests.challenges.conftest import (
    bank,
    chain,
    challengers,
    context,
    edition,
    empty_node,
    engine,
    gateway,
    ledger,
    rules,
    world,
)

__all__ = [
    "bank",
    "chain",
    "challengers",
    "context",
    "edition",
    "empty_node",
    "engine",
    "gateway",
    "ledger",
    "rules",
    "world",
]


@pytest.fixture
def blocks_per_eon() -> int:
    return 120


@pytest.fixture
def confirmations() -> int:
    return 3
