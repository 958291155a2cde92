"""`nocust-operator unclaimed`: money of the pool that nobody's leaf holds."""

from __future__ import annotations

from typing import Final

import click
from sqlalchemy import select

from commands.acting import acting
from commands.database import session_of
from commands.faults import as_click_errors
from ledger.interventions import Person
from ledger.unclaimed import CannotClaim, claim_unclaimed
from models import Token, UnclaimedClaim
from settings import Settings

MOST_ROWS: Final = 1000


@click.group()
def unclaimed() -> None:
    """Money without an owner; deposits of strangers who may still register are not among it."""


@unclaimed.command()
@click.argument("token")
@click.argument("amount", type=int)
@acting
def claim(token: str, amount: int, person: Person) -> None:
    """Let AMOUNT base units of TOKEN become the operator's own at the next checkpoint."""
    with as_click_errors():
        try:
            with session_of(Settings.from_env(signs=False)) as session:
                ordered = claim_unclaimed(session, token, amount, person)
        except CannotClaim as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"{amount} {token}: {'ordered' if ordered else 'ordered before'}")


@unclaimed.command("list")
def list_all() -> None:
    """List what was claimed, the newest first."""
    with as_click_errors(), session_of(Settings.from_env(signs=False)) as session:
        found = session.execute(
            select(UnclaimedClaim, Token.short_name)
            .join(Token, Token.id == UnclaimedClaim.token_id)
            .order_by(UnclaimedClaim.id.desc())
            .limit(MOST_ROWS)
        ).all()
        rows = [
            f"{one.amount} {name}  {'waits' if one.eon is None else f'allotted in eon {one.eon}'}"
            for one, name in found
        ]
    for row in rows or ["nothing was claimed"]:
        click.echo(row)
