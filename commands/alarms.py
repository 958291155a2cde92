"""`nocust-operator alarms`: what is wrong, since when, and what to do."""

from __future__ import annotations

import json

import click
from rich.console import Console

from api.rendering.alarms import alarm_payload
from commands.database import session_of
from commands.faults import as_click_errors
from duties.alarm_catalogue import entry_of
from ledger.reading.alarms import AlarmRow, list_alarms
from settings import Settings


@click.command()
@click.option("--all", "include_cleared", is_flag=True, help="Those that have ended too.")
@click.option("--json", "as_json", is_flag=True, help="As the administration's API lists them.")
def alarms(*, include_cleared: bool, as_json: bool) -> None:
    """List the open alarms with what each means and what to do."""
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        with session_of(settings) as session:
            rows = list_alarms(session, include_cleared=include_cleared)
    if as_json:
        click.echo(json.dumps({"alarms": [alarm_payload(row) for row in rows]}, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for row in rows:
        _print(console, row)
    if not rows:
        console.print("no alarm" if include_cleared else "no open alarm")


def _print(console: Console, row: AlarmRow) -> None:
    entry = entry_of(row.subject)
    ended = "" if row.cleared_at is None else f", ended {row.cleared_at:%Y-%m-%d %H:%M:%S %Z}"
    console.print(f"[bold]{row.severity}: {row.subject}[/bold]", f"({row.about})")
    duty = f", by {row.duty}" if row.duty else ""
    eon = "" if row.eon is None else f", in eon {row.eon}"
    times = f", raised {row.occurrences} times" if row.occurrences > 1 else ""
    console.print(f"  since {row.since:%Y-%m-%d %H:%M:%S %Z}{ended}{times}{duty}{eon}")
    console.print(f"  {row.message}", markup=False)
    console.print(f"  {entry.meaning}", markup=False)
    console.print(f"  What to do: {entry.advice} See {entry.runbook}.\n", markup=False)
