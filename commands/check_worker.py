"""`nocust-operator check-worker`: whether this machine's worker works, for health checks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import click
from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.client import Client
from temporalio.service import RPCError

from commands.examinations.temporal import pollers
from commands.temporal import connect_lazily
from duties import queues
from setting_types import SettingsError
from settings import Settings

LONGEST_SILENCE: Final = timedelta(minutes=2)
"""A worker without work asks once a minute."""
LONGEST_S: Final = 20.0


@click.command("check-worker")
@click.option("--role", type=click.Choice(sorted(queues.OF_ROLE)), default="all", show_default=True)
def check_worker(role: str) -> None:
    """Succeed if a worker of this machine has lately asked for work on each queue of its role."""
    try:
        silent = asyncio.run(_silent(Settings.from_env(signs=False), queues.OF_ROLE[role]))
    except (SettingsError, RPCError, RuntimeError, TimeoutError) as error:
        raise click.ClickException(f"Temporal cannot be asked: {error}") from error
    if silent:
        raise click.ClickException(f"nobody of this machine works on {', '.join(silent)}")
    click.echo(f"at work: {', '.join(queues.OF_ROLE[role])}")


async def _silent(settings: Settings, asked: Sequence[str]) -> list[str]:
    """The queues of `asked` on which nobody of this machine works."""
    async with asyncio.timeout(LONGEST_S):
        client: Client = await connect_lazily(settings)
        return [queue for queue in asked if not any(map(_is_ours, await pollers(client, queue)))]


def _is_ours(poller: PollerInfo) -> bool:
    """The SDK names a worker by its process and machine: `17@host`."""
    asked_at = poller.last_access_time.ToDatetime(tzinfo=UTC)
    is_recent = datetime.now(UTC) - asked_at < LONGEST_SILENCE
    return is_recent and poller.identity.endswith(f"@{socket.gethostname()}")
