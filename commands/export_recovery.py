"""`nocust-operator export-recovery DIR`: a file for every holder, usable without the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
from sqlalchemy.orm import Session

from commands import recovery_files
from commands.database import session_of
from commands.faults import as_click_errors
from ledger.clock import find_view
from ledger.parameters import find_parameters
from ledger.recovery import START, list_claims, usable_eon
from settings import Settings

PAGE: Final = 500


@click.command("export-recovery")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export_recovery(folder: Path) -> None:
    """Write into FOLDER, new or empty, what each holder needs after a halt.

    Each file is public: it pays its holder, whoever uses it. Publish them where wallets find them.
    Before a halt the files are good until the next checkpoint.
    """
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise click.ClickException(f"{folder} is not empty")
        with session_of(settings) as session:
            written, eon, halted = export(session, folder)
    state = "the chain has halted" if halted else "the chain has NOT halted"
    click.echo(f"{written} files, by the checkpoint of eon {eon}; {state}")


def export(session: Session, folder: Path) -> tuple[int, int, bool]:
    """Write every file; returns how many, the usable eon, and whether the chain has halted."""
    parameters, view = find_parameters(session), find_view(session)
    if parameters is None or view is None:
        raise click.ClickException("the operator has not seen the chain yet")
    eon, place, written = usable_eon(view.last_submitted_eon), START, 0
    while claims := list_claims(session, eon, after=place, limit=PAGE):
        for claim in claims:
            document = recovery_files.compose(
                parameters, claim, last_submitted_eon=view.last_submitted_eon
            )
            recovery_files.write(folder, recovery_files.file_name(claim), document)
        written, place = written + len(claims), claims[-1].place
    return written, eon, view.intake == "halted"
