"""Being the one process that does something: an advisory lock held by a connection of its own.

The lock spares work, it does not guard money.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg2
from sqlalchemy import Engine


class Election:
    """Stands for a lock, known by its number. Calls come from one thread at a time."""

    def __init__(self, engine: Engine, lock: int) -> None:
        self._engine = engine
        self._lock = lock
        self._connection: Any = None
        self._is_won = False

    def stand(self) -> bool:
        """Try to win, or make sure that it is still won; whether it is.

        Raises the driver's or the engine's errors when the database is out of reach: lost then.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.cursor() as cursor:
                if self._is_won:
                    cursor.execute("SELECT true")
                else:
                    cursor.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,))
                self._is_won = bool(cursor.fetchone()[0])
        except psycopg2.Error:
            self.resign()
            raise
        return self._is_won

    def resign(self) -> None:
        """Give the lock up and close the connection."""
        connection, self._connection, self._is_won = self._connection, None, False
        if connection is None:
            return
        # The server notices a closed connection some time later; who waits should not.
        with suppress(psycopg2.Error), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        connection.close()

    def _connect(self) -> Any:
        fairy = self._engine.raw_connection()
        connection: Any = fairy.driver_connection
        fairy.detach()
        connection.autocommit = True
        return connection
