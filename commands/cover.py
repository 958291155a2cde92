"""`nocust-operator cover`: pay into the pool what a root allots beyond what the contract holds."""

from __future__ import annotations

import click
from sqlalchemy import select

from chain.funds import read_bound
from chain.gateway import ContractGateway
from commands.acting import acting
from commands.database import session_of
from commands.examinations.chain import node_of
from commands.faults import as_click_errors
from ledger.covers import CannotCover, order_cover
from ledger.interventions import Person
from models import RootCommitment, Token, TokenCommitment
from settings import Settings


@click.command()
@click.argument("token")
@click.option("--amount", type=int, help="Base units; without it what is missing at the head.")
@acting
def cover(token: str, amount: int | None, person: Person) -> None:
    """Pay from the operator's account into the pool of TOKEN, a short name such as ETH.

    The payment belongs to nobody and cannot be taken back. It is sent like every duty, and the
    checkpoint that was held goes out when it is mined.
    """
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        missing = _missing(settings, token) if amount is None else amount
        try:
            with session_of(settings) as session:
                ordered = order_cover(session, token, missing, person)
        except CannotCover as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"{missing} {token}: {'the payment is ordered' if ordered else 'ordered before'}")


def _missing(settings: Settings, short_name: str) -> int:
    """What the newest checkpoint allots of a token above what the contract would accept."""
    with session_of(settings) as session:
        found = session.execute(
            select(TokenCommitment.eon, TokenCommitment.upper_bound, Token.address)
            .join(Token, Token.id == TokenCommitment.token_id)
            .join(RootCommitment, RootCommitment.eon == TokenCommitment.eon)
            .where(Token.short_name == short_name)
            .order_by(TokenCommitment.eon.desc())
            .limit(1)
        ).one_or_none()
    if found is None:
        raise click.ClickException(f"no checkpoint has a token {short_name}")
    gateway = ContractGateway(node_of(settings), settings.contract_address)
    limit = read_bound(gateway, bytes(found.address), found.eon).limit
    missing = int(found.upper_bound) - limit
    if missing <= 0:
        raise click.ClickException(
            f"nothing is missing: {found.upper_bound} {short_name} allotted, {limit} held"
        )
    return missing
