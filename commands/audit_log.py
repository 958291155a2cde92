"""`nocust-operator audit-log`: what people did to the operator."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from commands.database import session_of
from commands.faults import as_click_errors
from ledger.interventions import list_interventions
from settings import Settings


@click.command("audit-log")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@click.option("--before", type=int, help="Only records older than the one of this number.")
@click.option("--subject", help="Only what was done to this duty, switch or address.")
def audit_log(limit: int, before: int | None, subject: str | None) -> None:
    """List interventions, newest first: who did what to which duty or switch, and why."""
    with as_click_errors(), session_of(Settings.from_env(signs=False)) as session:
        rows = [
            (
                str(record.id),
                f"{record.time:%Y-%m-%d %H:%M:%S}",
                record.actor,
                record.action,
                record.subject,
                record.value or "",
                record.reason,
            )
            for record in list_interventions(session, limit=limit, before=before, subject=subject)
        ]
    table = Table("no.", "time", "actor", "action", "subject", "value", "reason")
    for row in rows:
        table.add_row(*row)
    Console().print(table if rows else "nobody has intervened")
