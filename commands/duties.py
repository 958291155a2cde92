"""`nocust-operator duties [DUTY]`: the duties at work, or one of them in full."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from api.office import DutyDetail, DutyOffice, DutySummary
from commands.faults import as_click_errors
from commands.temporal import connect_lazily
from settings import Settings


@click.command()
@click.argument("duty", required=False)
@click.option("--blocked", is_flag=True, help="Only those that wait for a person or a cure.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
def duties(duty: str | None, *, blocked: bool, limit: int) -> None:
    """List the duties at work; with DUTY show where it stands and what it takes from people."""
    console = Console(highlight=False, soft_wrap=True)
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        if duty is not None:
            _show(console, asyncio.run(_look(settings, duty)))
            return
        found, more = asyncio.run(list_running(settings, limit, blocked=blocked))
    console.print(duty_table("Duties at work", found))
    if more:
        console.print(f"and more than these {limit}")


def duty_table(title: str, found: list[DutySummary]) -> Table:
    """Duties as a table for people."""
    table = Table("duty", "phase", "deadline block", "", title=title, title_justify="left")
    for one in found:
        deadline = "" if one.deadline_block is None else str(one.deadline_block)
        marks = [
            word for word, holds in (("blocked", one.blocked), ("paused", one.paused)) if holds
        ]
        table.add_row(one.id, one.phase or "", deadline, ", ".join(marks))
    return table


async def list_running(
    settings: Settings, limit: int, *, blocked: bool = False
) -> tuple[list[DutySummary], bool]:
    """The duties at work by id, and whether there are more than `limit`."""
    office = DutyOffice(lambda: connect_lazily(settings))
    return await office.list_running("NocustBlocked = true" if blocked else "", limit=limit)


async def _look(settings: Settings, duty: str) -> DutyDetail:
    return await DutyOffice(lambda: connect_lazily(settings)).look(duty)


def _show(console: Console, detail: DutyDetail) -> None:
    console.print(f"[bold]{detail.title or detail.summary.id}[/bold]")
    for name, value in asdict(detail.summary).items():
        if value not in (None, False, ""):
            console.print(f"  {name}: {value}", markup=False)
    takes = ", ".join(detail.takes) or "nothing"
    console.print(f"  takes from people: {takes}")
    status = "no worker answers" if detail.status is None else json.dumps(detail.status, indent=2)
    console.print(status, markup=False)
