"""`nocust-operator backup` and `restore`: the ledger in one file, and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from commands.acting import acting
from commands.database import database_url, session_of
from commands.faults import as_click_errors
from ledger.clock import find_view
from ledger.interventions import Person
from ledger.parameters import find_parameters
from ledger.switches import Entry, set_switch
from models import Wallet, migrate
from settings import Settings
from stack.postgres_tools import bring_back, dump

SUFFIX: Final = ".nocust.dump"
OTHERS: Final = text(
    "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND application_name IN ('nocust-api', 'nocust-worker')"
)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--keep", type=click.IntRange(1), help="Delete all but so many of the newest.")
def backup(folder: Path, keep: int | None) -> None:
    """Write the ledger as it is now into a new file in FOLDER.

    The operator may be at work. The file is whole and on disk when its name is printed; it holds no
    key. Payments that are acknowledged later are not in it.
    """
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with session_of(settings) as session:
            contract = _standing(session).contract
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        path = folder / f"{contract[:10]}-{moment}{SUFFIX}"
        dump(database_url(settings), path)
        # Names end with the moment: their order is that of time.
        older = sorted(folder.glob(f"{contract[:10]}-*{SUFFIX}"))
        for one in older[: -keep if keep else 0]:
            one.unlink()
    click.echo(path)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Although the database holds a ledger: it is lost.")
@acting
def restore(file: Path, person: Person, *, replace: bool) -> None:
    """Bring the ledger back from FILE, all of it or nothing.

    No process of the operator may be at work on the database. Admissions, transfers and orders are
    paused afterwards: what was acknowledged after the backup is gone, and a person has to judge
    that before new payments are countersigned. Duties are started from the ledger.
    """
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        url = database_url(settings)
        with session_of(settings) as session:
            _require_replaceable(session, replace=replace)
        bring_back(url, file)
        migrate.upgrade(url)
        with session_of(settings) as session:
            standing = _standing(session)
            for entry in Entry:
                set_switch(session, entry, person, paused=True, account=settings.owner_address)
    click.echo(
        f"the ledger of {standing.contract} as it was at block {standing.block} of eon"
        f" {standing.eon}, {standing.seen_at:%Y-%m-%d %H:%M:%S} UTC\n"
        "admissions, transfers and orders are paused: see the how-to before `resume`"
    )


@dataclass(frozen=True, slots=True)
class _Standing:
    contract: str
    eon: int
    block: int
    seen_at: datetime


def _standing(session: Session) -> _Standing:
    parameters, view = find_parameters(session), find_view(session)
    if parameters is None or view is None:
        raise click.ClickException("there is no ledger yet: the operator has not seen the chain")
    return _Standing(
        f"0x{parameters.contract.hex()}",
        view.current_eon,
        view.latest_block,
        view.seen_at.astimezone(UTC),
    )


def _require_replaceable(session: Session, *, replace: bool) -> None:
    if others := session.scalars(OTHERS).all():
        raise click.ClickException(f"{' and '.join(sorted(others))} are at work: stop them first")
    # A new database has no tables to look into.
    is_there = session.scalar(select(func.to_regclass(Wallet.__tablename__))) is not None
    if not replace and is_there and session.scalar(select(Wallet.id).limit(1)) is not None:
        raise click.ClickException("the database holds a ledger; --replace gives it up")
