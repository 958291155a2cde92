"""One process matches: the one that holds the advisory lock; the others wait to take over.

The lock spares work, it does not guard money: every trade is checked under the accounts' locks.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final, TypeAlias

import psycopg2
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ledger.matching.matcher import Matcher, MatchingPolicy
from ledger.orders.placing import CHANNEL
from ledger.rules import LedgerRules
from logs import get_logger
from models.engine import open_sessions

LOCK: Final = 0x4D41544348
"""Keeps the leader's lock apart from others: the letters MATCH."""
LOOK_AGAIN_S: Final = 1.0
RECOVER_S: Final = 1.0

RulesLoader: TypeAlias = Callable[[Session], LedgerRules | None]

log = get_logger(__name__)


class MatchingLeader:
    """Stands for election and, once elected, confirms carried-over orders and matches.

    `load_rules` returns None until bootstrap has stored the contract's parameters.
    """

    def __init__(
        self, engine: Engine, load_rules: RulesLoader, policy: MatchingPolicy | None = None
    ) -> None:
        self._engine = engine
        self._load_rules = load_rules
        self._policy = policy or MatchingPolicy()
        self._stop = threading.Event()
        self.is_leading = False

    def stop(self) -> None:
        """Let `run` end after the transaction at hand."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`, in a thread of the caller's."""
        while not self._stop.is_set():
            try:
                self._stand()
            except (psycopg2.Error, SQLAlchemyError) as error:
                log.warning("matching is late", reason=type(error).__name__)
            except Exception:
                log.exception("matching is late")
            self.is_leading = False
            self._stop.wait(RECOVER_S)

    def _stand(self) -> None:
        """Wait to be elected, then lead until the connection is lost or the work fails."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            while not self._stop.is_set():
                cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
                rules = self._find_rules() if cursor.fetchone()[0] else None
                if rules is not None:
                    cursor.execute(f"LISTEN {CHANNEL}")
                    self._lead(connection, cursor, rules)
                    return
                cursor.execute("SELECT pg_advisory_unlock_all()")
                self._stop.wait(LOOK_AGAIN_S)

    def _lead(self, connection: Any, cursor: Any, rules: LedgerRules) -> None:
        log.info("matching orders")
        self.is_leading = True
        matcher = Matcher(open_sessions(self._engine), rules, self._policy)
        while not self._stop.is_set():
            if not matcher.step().is_idle:
                continue
            ready, _, _ = select.select([connection], [], [], LOOK_AGAIN_S)
            # Also asks whether the lock's connection is still there.
            cursor.execute("SELECT 1")
            connection.notifies.clear()
            if ready:
                self._stop.wait(self._policy.delay_s)

    def _find_rules(self) -> LedgerRules | None:
        with open_sessions(self._engine).begin() as session:
            return self._load_rules(session)

    def _connect(self) -> Any:
        fairy = self._engine.raw_connection()
        connection: Any = fairy.driver_connection
        fairy.detach()
        connection.autocommit = True
        return connection
