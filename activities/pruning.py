"""Deleting what nobody needs any more, step by step."""

from __future__ import annotations

from typing import Final

from temporalio import activity

from activities.context import Context
from activities.running import beating
from duties import tasks
from duties.checks import RetentionReport
from ledger.clock import find_view
from ledger.parameters import find_parameters
from ledger.retention import BATCH, RULES, Rule, bounds, prune

MOST_BATCHES: Final = 20_000
"""Of one table in one run: a hundred million rows; the next run goes on."""


class Pruning:
    """Carries out `prune`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.PRUNE.name)
    async def prune(self) -> RetentionReport:
        """Delete in transactions of a few thousand rows, so that nobody waits for them."""
        deleted = {}
        for rule in RULES:
            deleted[rule.table] = await self._prune(rule)
        return RetentionReport(deleted)

    async def _prune(self, rule: Rule) -> int:
        total = 0
        for _ in range(MOST_BATCHES):
            count = await beating(lambda: self._step(rule))
            total += count
            activity.heartbeat(rule.table, total)
            if count < BATCH or activity.is_worker_shutdown():
                break
        return total

    def _step(self, rule: Rule) -> int:
        with self._context.sessions.begin() as session:
            view, stored = find_view(session), find_parameters(session)
            if view is None or stored is None:
                return 0
            clock = self._context.rules(session).clock
            parameters = bounds(
                clock,
                current_eon=view.current_eon,
                eons_kept=stored.eons_kept,
                age=self._context.retention,
            )
            return prune(session, rule, parameters)
