"""`nocust-operator sending pause|resume`: stop all sending from the operator's account."""

from __future__ import annotations

from getpass import getuser

import click

from commands.database import session_of
from commands.faults import as_click_errors
from ledger.transactions.nonces import pause_account
from models import InterventionRecord
from settings import Settings


@click.group()
def sending() -> None:
    """The account from which the operator sends. Deadlines do not wait while it is paused."""


@sending.command()
@click.option("--reason", required=True, help="Why; it is recorded.")
@click.option("--actor", default=getuser, show_default="the user of this machine")
def pause(reason: str, actor: str) -> None:
    """Give no transaction a nonce until resumed; what is under way goes on."""
    _switch(reason, actor, paused=True)


@sending.command()
@click.option("--reason", required=True, help="Why; it is recorded.")
@click.option("--actor", default=getuser, show_default="the user of this machine")
def resume(reason: str, actor: str) -> None:
    """Let transactions be sent again."""
    _switch(reason, actor, paused=False)


def _switch(reason: str, actor: str, *, paused: bool) -> None:
    action = "pause" if paused else "resume"
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        account = settings.owner_address
        with session_of(settings) as session:
            pause_account(session, account, paused=paused)
            session.add(
                InterventionRecord(
                    actor=actor, action=action, subject=f"0x{account.hex()}", reason=reason
                )
            )
    click.echo(f"sending from 0x{account.hex()}: {action}d")
