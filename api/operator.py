"""The operator as the API knows it: its rules once bootstrap has stored them, and its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeAlias

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.callers import Callers
from api.faults import Unavailable
from api.limits import Limits
from api.metrics import ApiMetrics
from api.policy import ApiPolicy
from api.readers import Database
from api.streams.hub import Hub
from api.streams.listener import Listener
from api.streams.teller import Teller
from ledger.group_commit import GroupCommit
from ledger.refusals import LedgerInvariant
from ledger.rules import LedgerRules
from logs import get_logger

RulesLoader: TypeAlias = Callable[[Session], LedgerRules | None]
BOOTSTRAP_POLL_S: Final = 0.5
MEASURE_EVERY_S: Final = 1.0

log = get_logger(__name__)


class Operator:
    """Everything that resources share. `start` and `stop` belong to the server's event loop."""

    def __init__(
        self, engine: Engine, load_rules: RulesLoader, policy: ApiPolicy, metrics: ApiMetrics
    ) -> None:
        self.policy = policy
        self.metrics = metrics
        self.callers = Callers(policy)
        self.limits = Limits(self.callers, policy)
        self.database = Database(
            engine, threads=policy.database_threads, waiting_limit=policy.waiting_limit
        )
        self.hub = Hub()
        self._load_rules = load_rules
        self._rules: LedgerRules | None = None
        self._commits: GroupCommit | None = None
        self._listener: Listener | None = None
        self._bootstrap: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None

    @property
    def is_bootstrapped(self) -> bool:
        """Whether the contract's parameters are known."""
        return self._rules is not None

    def rules(self) -> LedgerRules:
        """The ledger's rules. Raises `Unavailable` before bootstrap has stored them."""
        if self._rules is None:
            raise Unavailable("the operator does not know its contract yet")
        return self._rules

    def commits(self) -> GroupCommit:
        """Where transfers are submitted. Raises `Unavailable` before bootstrap."""
        if self._commits is None:
            raise Unavailable("the operator does not know its contract yet")
        return self._commits

    async def start(self) -> None:
        """Load the rules, or wait for them in the background.

        The first try comes before the first request: a process that joins others on their port
        must not refuse what they would serve.
        """
        self._measuring = asyncio.create_task(self._measure())
        if not await self._take_up_rules():
            self._bootstrap = asyncio.create_task(self._await_rules())

    async def stop(self) -> None:
        """Finish what was accepted, then end every thread and close every connection."""
        for task in (self._bootstrap, self._measuring):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._commits is not None:
            await self._commits.stop(self.policy.drain_s)
        if self._listener is not None:
            await self._listener.stop()
        self.database.close()
        self.database.engine.dispose()

    async def _measure(self) -> None:
        """Note every second how long the lines are."""
        metrics = self.metrics
        while True:
            metrics.waiting.labels("database").set(self.database.taken)
            waiting = 0 if self._commits is None else self._commits.waiting
            metrics.waiting.labels("group commit").set(waiting)
            metrics.streams.set(len(self.hub.streams()))
            await asyncio.sleep(MEASURE_EVERY_S)

    async def _await_rules(self) -> None:
        while True:
            await asyncio.sleep(BOOTSTRAP_POLL_S)
            if await self._take_up_rules():
                return

    async def _take_up_rules(self) -> bool:
        """Try to load the rules and, with them, begin to serve."""
        try:
            rules = await self.database.read(self._load_rules)
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("the rules cannot be read", reason=type(error).__name__)
            return False
        except LedgerInvariant as error:
            log.error("the database is not this operator's", reason=str(error))
            return False
        if rules is None:
            return False
        teller = Teller(self.hub)
        self._listener = Listener(self.database.engine, self.database.snapshots, self.hub, teller)
        self._listener.start()
        self._commits = GroupCommit(self.database.engine, rules, observe=self.metrics.observe_batch)
        self._commits.start()
        self._rules = rules
        log.info("serving", contract=rules.contract.hex())
        return True
