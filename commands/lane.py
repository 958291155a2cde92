"""`nocust-operator lane`: the bounds of sending, changed while the operator runs."""

from __future__ import annotations

import click

from commands.acting import acting
from commands.database import session_of
from commands.faults import as_click_errors
from ledger.interventions import Person
from ledger.transactions.lane import LaneBounds, LaneRefused, read_bounds, set_bounds
from settings import GWEI, Settings

IN_FLIGHT = "ordinary transactions unmined at once"
CEILING = "gwei for each gas at most"
CRITICAL = "gwei for checkpoints, answers and what is late"


@click.group()
def lane() -> None:
    """How much the operator sends at once, and what it offers for it."""


@lane.command()
def show() -> None:
    """Show what counts now, and whether a person or the settings say so."""
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        with session_of(settings) as session:
            bounds = read_bounds(session, settings.owner_address)
    rows = (
        (IN_FLIGHT, bounds.in_flight, settings.tx_max_in_flight),
        (CEILING, bounds.ceiling_gwei, settings.gas_max_fee_wei // GWEI),
        (CRITICAL, bounds.critical_ceiling_gwei, settings.gas_max_fee_critical_wei // GWEI),
    )
    for name, chosen, usual in rows:
        source = "by the settings" if chosen is None else f"set by a person; settings: {usual}"
        click.echo(f"{name}: {usual if chosen is None else chosen} ({source})")


@lane.command("set")
@click.option("--in-flight", type=int, help=f"{IN_FLIGHT}.")
@click.option("--ceiling-gwei", type=int, help=f"{CEILING}.")
@click.option("--critical-ceiling-gwei", type=int, help=f"{CRITICAL}.")
@acting
def set_(
    in_flight: int | None,
    ceiling_gwei: int | None,
    critical_ceiling_gwei: int | None,
    person: Person,
) -> None:
    """Let these bounds count from now on; what is left out follows the settings again."""
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        try:
            bounds = LaneBounds(in_flight, ceiling_gwei, critical_ceiling_gwei)
        except LaneRefused as error:
            raise click.ClickException(str(error)) from None
        with session_of(settings) as session:
            changed = set_bounds(session, settings.owner_address, person, bounds)
    click.echo("the bounds are set" if changed else "nothing changed")
