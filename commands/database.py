"""A short look into the database, for commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from models.engine import open_engine, open_sessions
from settings import Settings
from stack.data_folder import DataFolder
from stack.postgres import EmbeddedPostgres


def database_url(settings: Settings) -> str:
    """The URL of the configured database, else of the embedded one in our data folder.

    Raises `SettingsError` when there is neither.
    """
    if settings.database_url is None and not settings.production:
        folder = DataFolder(settings.data_dir).part("postgres")
        try:
            return EmbeddedPostgres(folder, settings.postgres_port).url()
        except FileNotFoundError:
            # No stack has run here yet: the configuration has to say it.
            return settings.require_database_url()
    return settings.require_database_url()


@contextmanager
def session_of(settings: Settings) -> Iterator[Session]:
    """One unit of work on the operator's database, committed at the end of the block."""
    engine = open_engine(database_url(settings), application_name="nocust-command", pool_size=1)
    try:
        with open_sessions(engine).begin() as session:
            yield session
    finally:
        engine.dispose()
