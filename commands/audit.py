"""`nocust-operator audit`: recompute the whole ledger from what wallets and the chain signed."""

from __future__ import annotations

import click

from commands.database import database_url
from commands.keys import AddressOnly
from commands.policy import ledger_policy
from ledger.audit import verify_ledger
from ledger.parameters import load_rules
from models.engine import open_engine, open_sessions
from settings import Settings


@click.command()
def audit() -> None:
    """List everything in the ledger that contradicts a signature, a set, a sum or a checkpoint."""
    settings = Settings.from_env(signs=False)
    faults = find_faults(settings, database_url(settings))
    for fault in faults:
        click.echo(fault)
    if faults:
        raise click.ClickException(f"{len(faults)} contradictions")
    click.echo("every signature, transaction set, sum and checkpoint holds")


def find_faults(settings: Settings, database_url: str) -> list[str]:
    """Audit the ledger at a URL with the account and the policy of the settings.

    Raises `click.ClickException` when the operator was never started on that database.
    """
    engine = open_engine(database_url, application_name="nocust-audit")
    try:
        with open_sessions(engine)() as session:
            rules = load_rules(
                session,
                operator=AddressOnly(settings.owner_address),
                policy=ledger_policy(settings),
            )
            if rules is None:
                raise click.ClickException("no operator was ever started on this database")
            return verify_ledger(session, rules)
    finally:
        engine.dispose()
