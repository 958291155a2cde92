"""A ledger in a real database, in eon 1, with ETH and LQD and the operator's wallets in both."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger.audit import verify_ledger
from ledger.rules import LedgerRules
from models.engine import open_engine, open_sessions
from stack.postgres import EmbeddedPostgres
from tests.conftest import fresh_database
from tests.ledger.world import FIRST_BLOCK_SEEN, World, is_founded_as_usual, make_rules


@pytest.fixture
def rules(request: pytest.FixtureRequest) -> LedgerRules:
    """The rules of the scenarios; `parametrize(..., indirect=True)` replaces some of them."""
    return make_rules(**getattr(request, "param", {}))


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest,
    postgres_server: EmbeddedPostgres,
    migrated_template: str,
    rules: LedgerRules,
) -> Iterator[str]:
    """The URL of a new database: the usual ledger's, if the test wants one, else without rows."""
    template = migrated_template
    if "ledger" in request.fixturenames and is_founded_as_usual(rules):
        template = request.getfixturevalue("founded_template")
    yield from fresh_database(postgres_server, template)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh database; wide enough for tests with many connections."""
    engine = open_engine(database_url, application_name="tests", pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine, rules: LedgerRules) -> World:
    """A bootstrapped ledger; a test may parametrize its `rules`."""
    world = World(engine, open_sessions(engine), rules)
    if world.is_founded():
        # The copy remembers when its original looked at the chain.
        world.move_to(FIRST_BLOCK_SEEN)
    else:
        world.bootstrap()
    return world


@pytest.fixture
def audited(ledger: World) -> Iterator[None]:
    """The ledger is audited when the test has ended."""
    yield
    with ledger.begin() as session:
        assert verify_ledger(session, ledger.rules) == []
