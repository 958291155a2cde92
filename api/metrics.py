"""What Prometheus reads: latencies, group commits, lines that wait, sockets.

Processes that share a port share their numbers through files, so that whichever of them is asked
tells of all. Each has a place of its own, and who takes a dead one's place goes on counting there.
"""

from __future__ import annotations

import fcntl
from functools import partial
from pathlib import Path
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)

LATENCIES_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES: Final = (1, 2, 4, 8, 16, 32, 64)
PLACES: Final = 256
_held: Final[list[Any]] = []


class ApiMetrics:
    """The numbers of one process; `folder` is where several share theirs."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "nocust_api_request_seconds",
            "Requests by operation and status.",
            ("operation", "status"),
            registry=registry,
            buckets=LATENCIES_S,
        )
        self.batch_size = Histogram(
            "nocust_group_commit_size",
            "Transfers that shared a transaction.",
            registry=registry,
            buckets=SIZES,
        )
        self.batch_seconds = Histogram(
            "nocust_group_commit_seconds",
            "Duration of a group's transaction.",
            registry=registry,
            buckets=LATENCIES_S,
        )
        self.waiting = Gauge(
            "nocust_api_waiting",
            "Calls in a line: for the group commit, or for a thread of the database.",
            ("line",),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.sockets = Gauge(
            "nocust_api_websockets",
            "Open WebSockets.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.streams = Gauge(
            "nocust_api_streams",
            "Streams that somebody listens to.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.refused = Counter(
            "nocust_api_limited", "Requests refused for their number.", registry=registry
        )
        self._children: dict[tuple[str, int], Any] = {}

    def observe_request(self, operation: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        child = self._children.get((operation, status))
        if child is None:
            child = self._children[operation, status] = self._requests.labels(operation, status)
        child.observe(seconds)
        if status == 429:
            self.refused.inc()

    def observe_batch(self, size: int, seconds: float) -> None:
        """Count a group commit; called by its thread."""
        self.batch_size.observe(size)
        self.batch_seconds.observe(seconds)

    def expose(self) -> bytes:
        """Write everything in Prometheus' text format."""
        if self._folder is None:
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        multiprocess.MultiProcessCollector(shared, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(shared)


def take_place(folder: Path) -> int:
    """Let the metrics made from now on share `folder`; returns the place, held until we end.

    The folder must be the one that PROMETHEUS_MULTIPROC_DIR names. Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place in range(PLACES):
        lock = (folder / f"place-{place}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        for stale in folder.glob(f"gauge_*_{place}.db"):
            stale.unlink()
        values.ValueClass = values.MultiProcessValue(partial(int, place))  # type: ignore[no-untyped-call]
        _held.append(lock)
        return place
    raise OSError(f"all {PLACES} places for metrics are taken")
