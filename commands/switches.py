"""`nocust-operator pause|resume WHAT`: stop taking new entries of a kind, or all sending."""

from __future__ import annotations

import click

from commands.acting import acting
from commands.database import session_of
from commands.faults import as_click_errors
from ledger.interventions import Person
from ledger.switches import SWITCHES, set_switch
from settings import Settings


@click.command()
@click.argument("what", type=click.Choice(SWITCHES))
@acting
def pause(what: str, person: Person) -> None:
    """Take no new WHAT, or send nothing, until resumed.

    Wallets are answered 503 and may come back. What was accepted goes on; deadlines do not wait
    while sending is paused.
    """
    _switch(what, person, paused=True)


@click.command()
@click.argument("what", type=click.Choice(SWITCHES))
@acting
def resume(what: str, person: Person) -> None:
    """Take new WHAT again, or send again."""
    _switch(what, person, paused=False)


def _switch(what: str, person: Person, *, paused: bool) -> None:
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        with session_of(settings) as session:
            changed = set_switch(
                session, what, person, paused=paused, account=settings.owner_address
            )
    state = "paused" if paused else "running"
    click.echo(f"{what}: {state}" if changed else f"{what}: nothing changed")
