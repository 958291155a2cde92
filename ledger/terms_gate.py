"""The terms gate of the hot path: who may transact, without a query for each transfer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Final

from sqlalchemy.orm import Session, sessionmaker

from ledger.rules import LedgerRules
from ledger.terms import latest_terms, require_terms
from protocol.address import Address

CAPACITY: Final = 100_000
REFRESH_S: Final = 1.0


class TermsGate:
    """Remembers which addresses passed under the terms in force; one for each process.

    A permission is kept until other terms come into force, which every process notices within
    `REFRESH_S` seconds, or at the latest for `PERMISSION_S`, since a grace period ends. Refusals
    are never kept: whoever signs may transact at once.
    """

    PERMISSION_S: Final = 60.0

    def __init__(
        self,
        sessions: sessionmaker[Session],
        rules: LedgerRules,
        *,
        capacity: int = CAPACITY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._sessions = sessions
        self._rules = rules
        self._capacity = capacity
        self._clock = clock
        self._lock = Lock()
        self._terms_id: int | None = None
        self._checked_at = float("-inf")
        self._permitted: OrderedDict[Address, float] = OrderedDict()

    def require(self, address: Address) -> None:
        """Refuse with `INVALID_TOS_SIGNATURE` an address that may not transact. Thread-safe."""
        now = self._clock()
        if self.knows(address):
            return
        with self._sessions.begin() as session:
            require_terms(session, self._rules, address)
        with self._lock:
            self._permitted[address] = now
            while len(self._permitted) > self._capacity:
                self._permitted.popitem(last=False)

    def knows(self, address: Address) -> bool:
        """Tell whether an address may transact as far as is remembered, at most one query."""
        now = self._clock()
        if now - self._checked_at >= REFRESH_S:
            self._refresh(now)
        with self._lock:
            permitted_at = self._permitted.get(address)
            return permitted_at is not None and now - permitted_at < self.PERMISSION_S

    def _refresh(self, now: float) -> None:
        with self._sessions.begin() as session:
            terms = latest_terms(session)
        terms_id = None if terms is None else terms.id
        with self._lock:
            self._checked_at = now
            if terms_id != self._terms_id:
                self._terms_id = terms_id
                self._permitted.clear()
