"""The server under fire, and how long: `--cases` examples of each operation."""

from __future__ import annotations

import pytest

from tests.api.conftest import database_url, engine, ledger, rules, site

__all__ = ["database_url", "engine", "ledger", "rules", "site"]

FEW = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    """`./run.sh test-fuzz` asks for many; among the other tests a few keep the way open."""
    parser.addoption("--cases", type=int, default=FEW)


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> int:
    count: int = request.config.getoption("--cases", default=FEW)
    return count
