"""The Temporal worker, by role: `worker.py --role chain|ledger|notify|all`."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import click
from prometheus_client import CollectorRegistry
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import logs
from activities.context import Context
from activities.failures import FailureReports
from activities.lookout import LEAST_PATIENCE_S, Lookout
from activities.measuring.server import measured_runtime, serve_metrics
from activities.measuring.surroundings import Surroundings
from activities.patience import Patience
from activities.registry import activities_of
from activities.telling.courier import Courier
from commands.ending import ending_at_once
from commands.wiring import channels_of, compose, transaction_hook
from crash_points import arm
from duties import names, queues
from ledger.matching.leader import MatchingLeader
from protocol.keccak import require_fast_crypto
from settings import Settings
from workflows import registry

ROLES: Final = queues.OF_ROLE
SIGNING: Final = ("chain", "ledger", "all")
"""The chain's role signs transactions, the ledger's countersigns what it matches."""
MATCHING: Final = ("ledger", "all")
CONCURRENT: Final = {
    queues.WRITE: 1,
    queues.URGENT: 8,
    queues.READ: 1_000,
    queues.LEDGER: 20,
    queues.NOTIFY: 10,
}
THREADS: Final = 40
"""Of the activities; urgent ones have their own, which no silent node can use up for others."""
GRACE: Final = timedelta(seconds=20)
LONGEST_WAIT_S: Final = 30.0
STALE_BLOCKS: Final = 10

log = logs.get_logger(__name__)


@click.command()
@click.option("--role", type=click.Choice(sorted(ROLES)), default="all", show_default=True)
def main(role: str) -> None:
    """Carry out the operator's duties until SIGTERM. Only `notify` does without the key."""
    signs = role in SIGNING
    settings = Settings.from_env(signs=signs)
    logs.configure(settings.log_format, settings.log_level, secrets=settings.secrets())
    require_fast_crypto()
    if settings.crash_at:
        arm(settings.crash_at, settings.crash_folder)
    sys.exit(asyncio.run(run(settings, role, signs=signs)))


async def run(settings: Settings, role: str, *, signs: bool) -> int:
    """Work until a signal ends it (0) or the start-up check fails (1)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    context = compose(settings, signs=signs)
    with (
        ThreadPoolExecutor(THREADS, thread_name_prefix="activity") as threads,
        ThreadPoolExecutor(CONCURRENT[queues.URGENT], thread_name_prefix="urgent") as kept_free,
    ):
        loop.set_default_executor(threads)
        # What is loaded by now stays: no collection should stop all threads to look at it again.
        gc.collect()
        gc.freeze()
        # Before Temporal is asked for: people must hear of it when it is away.
        watch = _watch(context, settings) if queues.NOTIFY in ROLES[role] else []
        registry = _measure(context, settings)
        client = await connect(settings, stop)
        if client is None:
            await _end(watch)
            return 0
        if registry is not None:
            watch.append(asyncio.create_task(Surroundings(context, client, registry).run()))
        reports = FailureReports(context.sessions, logs.Redaction(settings.secrets()).text)
        offered = activities_of(context, client)
        pools = {queue: kept_free if queue == queues.URGENT else threads for queue in ROLES[role]}
        workers = [
            build_worker(client, queue, offered, pools[queue], reports) for queue in ROLES[role]
        ]
        tasks = [asyncio.create_task(worker.run()) for worker in workers]
        log.info("working", role=role, queues=list(ROLES[role]))
        sends = queues.WRITE in ROLES[role]
        check = asyncio.create_task(_start_up(client, stop)) if sends else None
        leader = MatchingLeader(context.engine, context.find_rules) if role in MATCHING else None
        matching = (
            threading.Thread(target=leader.run, name="matching", daemon=True) if leader else None
        )
        if matching is not None:
            matching.start()
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*(worker.shutdown() for worker in workers), return_exceptions=True)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await _end(watch)
        if leader is not None and matching is not None:
            leader.stop()
            await asyncio.to_thread(matching.join)
    context.engine.dispose()
    failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    for failure in failed:
        log.error("a worker failed", error=str(failure))
    suited = check is None or not check.done() or check.result()
    return 0 if suited and not failed else 1


def _measure(context: Context, settings: Settings) -> CollectorRegistry | None:
    """Tell Prometheus of the ledger and the chain, if a port is set; Temporal may be away."""
    if settings.worker_metrics_port is None:
        return None
    return serve_metrics(context, settings.worker_metrics_host, settings.worker_metrics_port)


async def connect(settings: Settings, stop: asyncio.Event) -> Client | None:
    """Connect to Temporal, however long it takes to be there; None once `stop` is set."""
    wait_s, port = 0.5, settings.worker_metrics_port
    runtime = None if port is None else measured_runtime(settings.worker_metrics_host, port)
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            connecting = asyncio.create_task(
                Client.connect(**settings.temporal_connect(), runtime=runtime)
            )
            await asyncio.wait([connecting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                await _end([connecting])
                break
            try:
                return connecting.result()
            except (RPCError, RuntimeError) as error:
                log.warning("waiting for Temporal", error=str(error))
            await asyncio.wait([stopping], timeout=wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
    finally:
        stopping.cancel()
    return None


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they are gone."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


def _watch(context: Context, settings: Settings) -> list[asyncio.Task[None]]:
    """What tells people of alarms and programs of transfers, and sees that duties stand still."""
    patience_s = max(
        LEAST_PATIENCE_S, 6 * context.pace.poll_s, STALE_BLOCKS * context.pace.block_time_s
    )
    courier = Courier(context.sessions, channels_of(settings))
    lookout = Lookout(context.sessions, patience_s=patience_s)
    hook = transaction_hook(settings, context)
    watching = [courier.run(), lookout.run(), *([] if hook is None else [hook.run()])]
    return [asyncio.create_task(one) for one in watching]


def build_worker(
    client: Client,
    queue: str,
    offered: dict[str, list[Any]],
    threads: ThreadPoolExecutor,
    reports: FailureReports,
) -> Worker:
    """The worker of one queue: workflows on the duties' own, activities on the others."""
    if queue == queues.DUTY:
        restrictions = SandboxRestrictions.default.with_passthrough_modules("duties", "protocol")
        return Worker(
            client,
            task_queue=queue,
            workflows=registry.ALL,
            workflow_runner=SandboxedWorkflowRunner(restrictions),
            graceful_shutdown_timeout=GRACE,
        )
    return Worker(
        client,
        task_queue=queue,
        activities=offered[queue],
        interceptors=[Patience(), reports],
        # Watching is asynchronous throughout: it takes no thread while it waits.
        activity_executor=None if queue == queues.READ else threads,
        max_concurrent_activities=CONCURRENT[queue],
        graceful_shutdown_timeout=GRACE,
    )


async def _start_up(client: Client, stop: asyncio.Event) -> bool:
    """Have the bootstrap run and hear how it ends; a wrong contract ends this process."""
    wait_s = 0.5
    while True:
        try:
            handle = await client.start_workflow(
                names.BOOTSTRAP_WORKFLOW,
                id=names.BOOTSTRAP_ID,
                task_queue=queues.DUTY,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="Start of the operator",
            )
            await handle.result()
        except WorkflowFailureError as error:
            log.critical("the operator cannot start", error=str(error.cause))
            stop.set()
            return False
        except RPCError as error:
            log.warning("waiting for Temporal", error=str(error))
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        else:
            log.info("the operator is ready")
            return True


if __name__ == "__main__":
    ending_at_once(main)
