"""`nocust-operator up`: everything that is missing on this machine, supervised."""

import asyncio

import click
from rich.console import Console

from duties import search_attributes
from setting_types import SettingsError
from settings import Settings
from stack.errors import StackError
from stack.panel import Progress, ready_panel, waiting_line
from stack.plan import Stack, plan
from stack.supervisor import Supervisor

STILL_WAITING_S = 10.0


@click.command()
@click.option("--verbose", is_flag=True, help="Show what the parts print, not only keep it.")
def up(verbose: bool) -> None:
    """Start PostgreSQL, Temporal, a node, the contracts, the API and the worker.

    A part whose address is set (HUB_DATABASE_URL, TEMPORAL_ADDRESS, HUB_ETHEREUM_NODE_URL) is not
    started; the real one is used. Ctrl-C stops everything.
    """
    console = Console()
    try:
        stack = plan(Settings.from_env(), search_attributes.ALL)
        with stack.folder.locked():
            stack.require_free_ports()
            asyncio.run(_run(stack, console, verbose=verbose))
    except (SettingsError, StackError) as error:
        raise click.ClickException(str(error)) from error


async def _run(stack: Stack, console: Console, *, verbose: bool) -> None:
    progress = Progress(console)
    supervisor = Supervisor(
        stack.units,
        stack.steps,
        stack.folder,
        progress.report,
        progress.echo if verbose else lambda _part, _line: None,
    )
    reminder = asyncio.create_task(_remind(stack, supervisor, progress))

    def when_ready() -> None:
        reminder.cancel()
        console.print(ready_panel(stack, progress.elapsed_s()))

    progress.report(waiting_line(stack, supervisor.waiting_for()))
    try:
        await supervisor.run(when_ready)
    finally:
        reminder.cancel()
    progress.report("stopped")


async def _remind(stack: Stack, supervisor: Supervisor, progress: Progress) -> None:
    while True:
        await asyncio.sleep(STILL_WAITING_S)
        progress.report(waiting_line(stack, supervisor.waiting_for()))
