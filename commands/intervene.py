"""`nocust-operator intervene`: what a person tells a running duty, with a name and a reason."""

from __future__ import annotations

import asyncio
from getpass import getuser

import click
from temporalio.client import Client, WorkflowUpdateFailedError

from commands.faults import as_click_errors
from duties import interventions
from duties.interventions import Intervention
from settings import Settings


@click.command()
@click.argument("duty")
@click.argument("action", type=click.Choice(sorted(interventions.ALL)))
@click.option("--reason", required=True, help="Why; it is recorded.")
@click.option("--actor", default=getuser, show_default="the user of this machine")
@click.option("--value", type=int, help="Gwei for raise_ceiling, a block for resync_from.")
def intervene(duty: str, action: str, reason: str, actor: str, value: int | None) -> None:
    """Send ACTION to DUTY, a workflow's id such as eon-42; a duty may refuse it."""
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        asyncio.run(_send(settings, duty, action, Intervention(actor, reason, value)))
    click.echo(f"{duty}: {action} is done and recorded")


async def _send(settings: Settings, duty: str, action: str, intervention: Intervention) -> None:
    client = await Client.connect(**settings.temporal_connect())
    try:
        await client.get_workflow_handle(duty).execute_update(action, intervention)
    except WorkflowUpdateFailedError as error:
        raise click.ClickException(f"{duty} refuses: {error.cause}") from error
