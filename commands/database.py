"""A short look into the database, for commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from models.engine import open_engine, open_sessions
from settings import Settings


@contextmanager
def session_of(settings: Settings) -> Iterator[Session]:
    """One unit of work on the configured database, committed at the end of the block."""
    engine = open_engine(
        settings.require_database_url(), application_name="nocust-command", pool_size=1
    )
    try:
        with open_sessions(engine).begin() as session:
            yield session
    finally:
        engine.dispose()
