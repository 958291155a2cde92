"""The database engine: pooled, bounded, and returning `numeric` as int."""

from __future__ import annotations

from typing import Any, Final

import psycopg2.extensions
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from crash_points import committed

NUMERIC_OID: Final = 1700
STATEMENT_TIMEOUT_MS: Final = 60_000
LOCK_TIMEOUT_MS: Final = 15_000
BOUNDS: Final = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"


def _int_or_none(value: str | bytes | None, _cursor: Any) -> int | None:
    return None if value is None else int(value)


_NUMERIC_AS_INT = psycopg2.extensions.new_type((NUMERIC_OID,), "NUMERIC_AS_INT", _int_or_none)


def open_engine(url: str, *, application_name: str, pool_size: int = 5) -> Engine:
    """Open an engine on a `postgresql+psycopg2://` URL.

    Every `numeric` is read as int: the schema stores integers only. Statements and lock waits are
    bounded, so that a stuck peer becomes an error and not a silence.
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "options": BOUNDS,
        },
    )

    @event.listens_for(engine, "connect")
    def read_numeric_as_int(connection: Any, _record: Any) -> None:
        psycopg2.extensions.register_type(_NUMERIC_AS_INT, connection)

    return engine


def open_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions; `with sessions.begin() as session` is one unit of work."""
    sessions = sessionmaker(engine, expire_on_commit=False)
    event.listen(sessions, "after_commit", _committed)
    return sessions


def _committed(_session: Session) -> None:
    committed()
