"""The ledger's and the chain's numbers, read when Prometheus asks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from ledger.clock import find_view
from ledger.parameters import find_parameters
from ledger.switches import SWITCHES, paused_switches
from ledger.transactions.intents import OPEN
from logs import get_logger
from models import Alarm, ChainView, Challenge, ContractState, DutyNotice, TransactionIntent
from protocol.clock import EonClock

READ_EVERY_S: Final = 2.0
"""Whoever asks more often is told the last answer."""
CONDITIONS: Final = ("open", "halted", "late", "split")
SEVERITIES: Final = ("information", "warning", "critical")
UNANSWERED: Final = ("open", "answering")

log = get_logger(__name__)


class LedgerNumbers(Collector):
    """Reads the database at most every `READ_EVERY_S`; while it is away only that is told."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._read_at = 0.0
        self._known: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry that learns our names would have to read the database for it."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The numbers of now."""
        if time.monotonic() - self._read_at > READ_EVERY_S:
            self._known = self._read()
            self._read_at = time.monotonic()
        return list(self._known)

    def _read(self) -> list[Metric]:
        try:
            with self._sessions() as session:
                found = [*_of_the_chain(session), *_of_the_ledger(session)]
        except SQLAlchemyError as error:
            log.warning("the ledger cannot be measured", reason=type(error).__name__)
            return [_gauge("nocust_ledger_reachable", "1 if the database answers.", 0)]
        return [_gauge("nocust_ledger_reachable", "1 if the database answers.", 1), *found]


def _of_the_chain(session: Session) -> Iterator[Metric]:
    stored, view = find_parameters(session), find_view(session)
    if stored is None or view is None:
        return
    clock = EonClock(stored.genesis_block, stored.blocks_per_eon)
    yield _gauge("nocust_chain_head_block", "The newest block seen.", view.latest_block)
    yield _gauge("nocust_chain_confirmed_block", "The newest confirmed.", view.confirmed_block)
    yield _gauge(
        "nocust_chain_view_age_seconds",
        "Since when nobody has looked at the chain.",
        (datetime.now(UTC) - view.seen_at).total_seconds(),
    )
    mined_at = session.scalar(
        select(ContractState.timestamp)
        .where(~ContractState.orphaned)
        .order_by(ContractState.block.desc())
        .limit(1)
    )
    if mined_at is not None:
        age_s = time.time() - mined_at
        yield _gauge("nocust_chain_head_age_seconds", "Age of the newest block.", age_s)
    yield _gauge("nocust_chain_eon", "The eon of the newest block.", view.current_eon)
    yield _gauge(
        "nocust_chain_submitted_eon", "The last eon with a root on chain.", view.last_submitted_eon
    )
    yield _gauge(
        "nocust_chain_checkpoint_blocks_left",
        "Blocks in which the next root must be mined; below 0: the chain has halted.",
        clock.last_block(view.last_submitted_eon + 1) - view.latest_block,
    )
    yield _by_label(
        "nocust_chain_intake", "1 for the condition that holds.", "condition",
        {name: int(view.intake == name) for name in CONDITIONS},
    )  # fmt: skip
    yield from _of_challenges(session, view)


def _of_challenges(session: Session, view: ChainView) -> Iterator[Metric]:
    count, first = session.execute(
        select(func.count(), func.min(Challenge.deadline_block)).where(
            Challenge.status.in_(UNANSWERED)
        )
    ).one()
    yield _gauge("nocust_chain_challenges_open", "Challenges without a final answer.", count)
    left = GaugeMetricFamily(
        "nocust_chain_challenge_blocks_left",
        "Blocks to the earliest deadline of an open challenge; absent without one.",
    )
    if first is not None:
        left.add_metric([], first - view.latest_block)
    yield left


def _of_the_ledger(session: Session) -> Iterator[Metric]:
    yield _by_label(
        "nocust_ledger_intents", "Transactions under way.", "state",
        dict.fromkeys(OPEN, 0) | _counts(session, TransactionIntent.state, OPEN),
    )  # fmt: skip
    alarms = select(Alarm.severity, func.count()).where(Alarm.cleared_at.is_(None))
    found = {row[0]: row[1] for row in session.execute(alarms.group_by(Alarm.severity))}
    yield _by_label(
        "nocust_ledger_alarms", "Open alarms.", "severity", dict.fromkeys(SEVERITIES, 0) | found
    )
    waiting = session.scalar(select(func.count()).where(~DutyNotice.delivered)) or 0
    yield _gauge("nocust_ledger_notices", "Facts that no duty has taken up yet.", waiting)
    paused = set(paused_switches(session))
    yield _by_label(
        "nocust_ledger_paused", "1 for what a person paused.", "switch",
        {name: int(name in paused) for name in SWITCHES},
    )  # fmt: skip


def _counts(session: Session, column: Any, among: Iterable[str]) -> dict[str, int]:
    rows = session.execute(select(column, func.count()).where(column.in_(among)).group_by(column))
    return {row[0]: row[1] for row in rows}


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _by_label(name: str, meaning: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
