"""The matcher: the books of the current eon in memory, and the ledger as their only truth.

Whatever it remembers is checked again under locks before anything is written, so a second matcher
or a crash between two batches can neither lose nor repeat a trade: it only costs a reload.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session, sessionmaker

from ledger.clock import cursor_of, find_view
from ledger.matching.batch import StaleBooks, read_resting, read_takers, write_plan
from ledger.matching.book import Books
from ledger.matching.planning import Plan, plan_batch
from ledger.orders.carrying import confirm_copies
from ledger.rules import LedgerRules

UNFIT_FOR_S: Final = 5.0
"""How long an order is left alone that owes a withdrawal what it would pay."""


@dataclass(frozen=True, slots=True)
class MatchingPolicy:
    """How a matcher works.

    A taker waits `delay_s` from its acceptance; `batch` takers share a transaction.
    """

    delay_s: float = 0.3
    batch: int = 64


@dataclass(frozen=True, slots=True)
class Round:
    """What one step did: copies confirmed, takers that had their turn, trades written."""

    confirmed: int = 0
    takers: int = 0
    trades: int = 0
    retry: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.confirmed or self.takers or self.retry)


class Matcher:
    """Confirms carried-over orders and matches. One thread at a time."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        rules: LedgerRules,
        policy: MatchingPolicy | None = None,
    ) -> None:
        self._sessions = sessions
        self._rules = rules
        self._policy = policy or MatchingPolicy()
        self._books: Books | None = None
        self._eon = 0
        self._confirmed_eon = 0
        self._unfit: dict[int, float] = {}

    def forget(self) -> None:
        """Drop the books; the next step reads them anew."""
        self._books = None

    def run_until_idle(self) -> Round:
        """Step until nothing is left to do; sum up. For tests and tools."""
        total = Round()
        while True:
            done = self.step()
            total = Round(
                total.confirmed + done.confirmed,
                total.takers + done.takers,
                total.trades + done.trades,
            )
            if done.is_idle:
                return total

    def step(self) -> Round:
        """Confirm a batch of copies, then let a batch of takers trade, each in a transaction."""
        with self._sessions.begin() as session:
            view = find_view(session)
            if view is None:
                return Round()
            confirmed: int | None = 0
            if view.current_eon != self._confirmed_eon:
                confirmed = confirm_copies(session, self._rules, view.current_eon)
            eon = view.current_eon
        if confirmed:
            # Confirmed copies rest already, or wait to be takers: the books learn them anew.
            self.forget()
            return Round(confirmed=confirmed)
        if confirmed is not None:
            self._confirmed_eon = eon
        if not self._rules.swaps_enabled:
            return Round()
        return self._match(eon)

    def _match(self, eon: int) -> Round:
        with self._sessions() as session:
            cursor = cursor_of(session)
            takers = read_takers(
                cursor,
                eon,
                delay_s=self._policy.delay_s,
                limit=self._policy.batch,
                unfit=self._still_unfit(),
            )
            if not takers:
                return Round()
            if self._books is None or self._eon != eon:
                self._books, self._eon = Books(), eon
                for resting in read_resting(cursor, eon):
                    self._books.add(resting)
            books = self._books
            for taker in takers:
                # One that rested may have been given another turn.
                books.remove(taker.transfer_id)
        plan = plan_batch(books, takers, frozenset(self._unfit))
        try:
            if not self._write(eon, plan):
                return Round(retry=True)
        except StaleBooks as stale:
            self._correct(stale)
            return Round(retry=True)
        except Exception:
            # Whether a failed commit took place is unknown: the ledger knows.
            self.forget()
            raise
        for transfer_id, after in plan.after.items():
            if after.order.is_fulfilled:
                books.remove(transfer_id)
            else:
                books.add(after)
        return Round(takers=len(takers), trades=len(plan.trades))

    def _write(self, eon: int, plan: Plan) -> bool:
        with self._sessions.begin() as session:
            return write_plan(session, self._rules, eon, plan)

    def _correct(self, stale: StaleBooks) -> None:
        if stale.reload or self._books is None:
            self.forget()
        else:
            for transfer_id in stale.gone:
                self._books.remove(transfer_id)
        until = time.monotonic() + UNFIT_FOR_S
        self._unfit |= dict.fromkeys(stale.unfit, until)

    def _still_unfit(self) -> list[int]:
        now = time.monotonic()
        self._unfit = {number: until for number, until in self._unfit.items() if until > now}
        return list(self._unfit)
