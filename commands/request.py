"""`nocust-operator request`: withdrawal requests that a person has to decide about."""

from __future__ import annotations

from typing import Final

import click

from commands.acting import acting
from commands.database import session_of
from commands.faults import as_click_errors
from ledger.interventions import Person
from ledger.request_decisions import (
    HOLD,
    RELEASE,
    CannotDecide,
    decide_request,
    list_requests,
)
from protocol.address import checksum_address
from settings import Settings

MOST_ROWS: Final = 1000


@click.group()
def request() -> None:
    """Withdrawal requests on chain that are neither paid nor slashed."""


@request.command("list")
@click.option("--blocked", is_flag=True, help="Only those that are not paid until released.")
def list_all(*, blocked: bool) -> None:
    """List the open requests, the oldest first."""
    with as_click_errors(), session_of(Settings.from_env(signs=False)) as session:
        rows = [
            f"{one.number}  {one.amount} {one.short_name}  {checksum_address(one.holder)}  "
            f"eon {one.eon}  {one.status}"
            for one in list_requests(session, limit=MOST_ROWS, only_blocked=blocked)
        ]
    for row in rows or ["no request is open"]:
        click.echo(row)


@request.command()
@click.argument("number", type=int)
@acting
def release(number: int, person: Person) -> None:
    """Have the blocked request NUMBER paid when the contract allows it.

    Nobody's leaf has deducted it: what it pays is missing in the pool until it is covered.
    """
    _decide(number, RELEASE, person)


@request.command()
@click.argument("number", type=int)
@acting
def hold(number: int, person: Person) -> None:
    """Keep request NUMBER, with the holder's others, from being paid by us."""
    _decide(number, HOLD, person)


def _decide(number: int, decision: str, person: Person) -> None:
    with as_click_errors():
        try:
            with session_of(Settings.from_env(signs=False)) as session:
                done = decide_request(session, number, decision, person)
        except CannotDecide as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"request {number}: {decision} is {'done' if done else 'done already'}")
