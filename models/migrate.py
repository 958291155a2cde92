"""Bring a database to the newest schema, or back."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Two processes that start together must not migrate together: any constant of our own will do.
MIGRATION_LOCK: Final = 0x4E4F4355


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _under_lock(url: str, step: str, revision: str) -> None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.commit()
            getattr(command, step)(_config(connection), revision)
            connection.commit()
    finally:
        engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url` up to `revision`; a second caller waits, then finds it done."""
    _under_lock(url, "upgrade", revision)


def downgrade(url: str, revision: str = "base") -> None:
    """Migrate the database at `url` down to `revision`. Data of dropped tables is lost."""
    _under_lock(url, "downgrade", revision)
