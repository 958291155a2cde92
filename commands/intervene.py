"""`nocust-operator intervene`: what a person tells a running duty, with a name and a reason."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import click

from api.office import DutyOffice
from commands.acting import acting
from commands.database import session_of
from commands.faults import as_click_errors
from commands.temporal import connect_lazily
from duties import interventions
from duties.interventions import Intervention
from ledger.interventions import Person, record_intervention, require_same_act
from settings import Settings


@click.command()
@click.argument("duty")
@click.argument("action", type=click.Choice(interventions.ALL))
@click.option("--value", type=int, help="Gwei, a block, seconds or a token's trail, by the action.")
@acting
def intervene(duty: str, action: str, value: int | None, person: Person) -> None:
    """Send ACTION to DUTY, a workflow's id such as eon-42; a duty may refuse it."""
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        if action in interventions.SIGNALS:
            with session_of(settings) as session:
                record_intervention(session, action, duty, person)
            asyncio.run(_signal(settings, duty, action))
        elif not _is_done(settings, duty, action, value, person):
            intervention = Intervention(person.actor, person.reason, value)
            update_id = person.update_id or uuid4().hex
            answer = asyncio.run(_update(settings, duty, action, intervention, update_id))
            if answer is not None:
                click.echo(json.dumps(answer))
    click.echo(f"{duty}: {action} is done and recorded")


def _is_done(settings: Settings, duty: str, action: str, value: int | None, person: Person) -> bool:
    """Whether this very act is in the book, so that repeating it is no error."""
    if person.update_id is None:
        return False
    with session_of(settings) as session:
        text = None if value is None else str(value)
        return require_same_act(session, action, duty, person, value=text)


async def _update(
    settings: Settings, duty: str, action: str, intervention: Intervention, update_id: str
) -> Any:
    office = DutyOffice(lambda: connect_lazily(settings))
    return await office.intervene(duty, action, intervention, update_id=update_id)


async def _signal(settings: Settings, duty: str, action: str) -> None:
    await DutyOffice(lambda: connect_lazily(settings)).signal(duty, action)
