"""Where Prometheus reads a worker's numbers: ours on one port, Temporal's SDK's on the next."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from activities.context import Context
from activities.measuring.ledger import LedgerNumbers

HEARTBEAT: Final = timedelta(seconds=60)


class MetricsPortTaken(RuntimeError):
    """Another process listens where this worker was to tell its numbers."""


def measured_runtime(host: str, port: int) -> Runtime:
    """A runtime of Temporal's SDK that tells its metrics on the port after `port`.

    Raises `MetricsPortTaken`.
    """
    config = PrometheusConfig(
        bind_address=f"{host}:{port + 1}",
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
    )
    try:
        return Runtime(
            telemetry=TelemetryConfig(metrics=config), worker_heartbeat_interval=HEARTBEAT
        )
    except (RuntimeError, ValueError) as error:
        raise MetricsPortTaken(f"no metrics of the SDK on {host}:{port + 1}: {error}") from error


def serve_metrics(context: Context, host: str, port: int) -> CollectorRegistry:
    """Serve the worker's own numbers, in a thread that ends with the process.

    More can be added to the registry that is returned. Raises `MetricsPortTaken`.
    """
    registry = CollectorRegistry()
    registry.register(LedgerNumbers(context.sessions))
    try:
        start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise MetricsPortTaken(f"no metrics on {host}:{port}: {error.strerror}") from error
    return registry
