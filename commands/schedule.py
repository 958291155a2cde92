"""`nocust-operator schedule`: the checks that run by the calendar, for people."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from commands.acting import acting
from commands.database import session_of
from commands.faults import as_click_errors
from commands.temporal import connect_lazily
from duties import schedules
from ledger.interventions import Person, record_intervention
from settings import Settings

NAMES: Final = tuple(plan.id for plan in schedules.ALL)
Row = tuple[str, str, str, str, str]


@click.group()
def schedule() -> None:
    """The checks that run by the calendar."""


@schedule.command("list")
def list_() -> None:
    """Show every schedule: how often, whether it is paused, its last and its next run."""
    with as_click_errors():
        rows = asyncio.run(_list(Settings.from_env(signs=False)))
    table = Table("schedule", "every", "state", "last run", "next run")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


@schedule.command()
@click.argument("name", type=click.Choice(NAMES))
@acting
def trigger(name: str, person: Person) -> None:
    """Let the check NAME run now."""
    _act(name, "trigger", person)


@schedule.command()
@click.argument("name", type=click.Choice(NAMES))
@acting
def pause(name: str, person: Person) -> None:
    """Let the check NAME rest until it is resumed."""
    _act(name, "pause", person)


@schedule.command()
@click.argument("name", type=click.Choice(NAMES))
@acting
def resume(name: str, person: Person) -> None:
    """Let the check NAME run by the calendar again."""
    _act(name, "resume", person)


def _act(name: str, action: str, person: Person) -> None:
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        with session_of(settings) as session:
            # Recorded when Temporal has done it: repeating any of these is harmless.
            asyncio.run(_tell(settings, name, action, f"{person.actor}: {person.reason}"))
            record_intervention(session, action, f"schedule {name}", person)
    click.echo(f"{name}: {action} is done and recorded")


async def _tell(settings: Settings, name: str, action: str, note: str) -> None:
    handle = (await connect_lazily(settings)).get_schedule_handle(name)
    try:
        if action == "trigger":
            await handle.trigger()
        elif action == "pause":
            await handle.pause(note=note)
        else:
            await handle.unpause(note=note)
    except RPCError as error:
        raise _explained(error, name) from None


async def _list(settings: Settings) -> list[Row]:
    client = await connect_lazily(settings)
    return [await _row(client, plan) for plan in schedules.ALL]


async def _row(client: Client, plan: schedules.Plan) -> Row:
    try:
        found = await client.get_schedule_handle(plan.id).describe()
    except RPCError as error:
        raise _explained(error, plan.id) from None
    state = found.schedule.state
    last = found.info.recent_actions[-1].started_at if found.info.recent_actions else None
    following = found.info.next_action_times[0] if found.info.next_action_times else None
    text = f"paused ({state.note})" if state.paused else "running"
    return plan.id, str(plan.every), text, _time(last), _time(following)


def _explained(error: RPCError, name: str) -> Exception:
    if error.status == RPCStatusCode.NOT_FOUND:
        return click.ClickException(f"there is no schedule {name} yet: the worker makes it")
    return error


def _time(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
