"""`nocust-operator blacklist`: addresses that may not register."""

from __future__ import annotations

from typing import Final

import click

from commands.acting import acting
from commands.database import session_of
from commands.faults import as_click_errors
from ledger.blacklist import bar_address, clear_address, list_barred
from ledger.interventions import Person
from protocol.address import checksum_address, parse_address
from settings import Settings

MOST_ROWS: Final = 1000


@click.group()
def blacklist() -> None:
    """Addresses that may not register. Wallets that they have already keep all their rights."""


@blacklist.command()
@click.argument("address")
@acting
def add(address: str, person: Person) -> None:
    """Bar ADDRESS from registering in any token."""
    with as_click_errors():
        settings, barred = Settings.from_env(signs=False), parse_address(address)
        with session_of(settings) as session:
            changed = bar_address(session, barred, person)
    click.echo(f"{checksum_address(barred)} is barred{'' if changed else ' already'}")


@blacklist.command()
@click.argument("address")
@acting
def remove(address: str, person: Person) -> None:
    """Let ADDRESS register again."""
    with as_click_errors():
        settings, cleared = Settings.from_env(signs=False), parse_address(address)
        with session_of(settings) as session:
            changed = clear_address(session, cleared, person)
    click.echo(f"{checksum_address(cleared)} {'is' if changed else 'was'} not barred")


@blacklist.command("list")
def list_all() -> None:
    """List the barred addresses, the newest first."""
    with as_click_errors(), session_of(Settings.from_env(signs=False)) as session:
        rows = [
            f"{checksum_address(bytes(entry.address))}  {entry.actor}: {entry.reason}"
            for entry in list_barred(session, limit=MOST_ROWS)
        ]
    for row in rows or ["no address is barred"]:
        click.echo(row)
