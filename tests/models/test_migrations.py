"""The schema's migrations, on a real PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from models import Base, migrate
from models.engine import open_engine

CATALOG = """
SELECT 'constraint' AS kind, conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
UNION ALL
SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'column', table_name, column_name,
       concat_ws(' ', data_type, numeric_precision, column_default, is_nullable)
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
"""


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_database_url, application_name="test")
    yield engine
    engine.dispose()


def schema(engine: Engine) -> set[tuple[str, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(text(CATALOG)).all()
    return {tuple(row) for row in rows if row[1] != "alembic_version"}


def test_the_schema_goes_up_down_and_up_again(engine: Engine, empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    migrated = schema(engine)
    migrate.downgrade(empty_database_url)
    assert schema(engine) == set()
    migrate.upgrade(empty_database_url)
    assert schema(engine) == migrated


def test_the_migrations_make_exactly_what_the_models_declare(
    engine: Engine, empty_database_url: str
) -> None:
    Base.metadata.create_all(engine)
    declared = schema(engine)
    Base.metadata.drop_all(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP FUNCTION refuse_entries_of_a_closed_eon()"))
    migrate.upgrade(empty_database_url)
    assert schema(engine) == declared


def test_migrating_twice_changes_nothing(engine: Engine, empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    migrated = schema(engine)
    migrate.upgrade(empty_database_url)
    assert schema(engine) == migrated
