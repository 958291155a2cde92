"""`nocust-operator pair add`: open trade between two tokens."""

from __future__ import annotations

import click

from commands.database import session_of
from commands.faults import as_click_errors
from ledger.tokens import add_pair
from protocol.address import parse_address
from settings import Settings


@click.group()
def pair() -> None:
    """The directions in which orders may be placed."""


@pair.command()
@click.argument("first")
@click.argument("second")
def add(first: str, second: str) -> None:
    """Open both directions between the tokens FIRST and SECOND; repeating it is harmless."""
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        one, other = parse_address(first), parse_address(second)
        with session_of(settings) as session:
            added = add_pair(session, one, other) + add_pair(session, other, one)
    click.echo(f"{added} of 2 directions are new")
