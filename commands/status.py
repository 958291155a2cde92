"""`nocust-operator status`: where the commit-chain stands, on one screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commands.database import session_of
from commands.duties import duty_table, list_running
from commands.faults import as_click_errors
from ledger.challenges.book import open_challenges
from ledger.clock import find_view
from ledger.parameters import find_parameters
from ledger.switches import paused_switches
from ledger.transactions.intents import OPEN
from models import Alarm, TransactionIntent
from protocol.clock import EonClock
from settings import Settings

MOST_ROWS: Final = 50
CHALLENGE_COLUMNS: Final = ("challenge", "about", "answer by block", "blocks left", "status")


@dataclass(frozen=True)
class Standing:
    """Facts by name; open challenges as number, what, answer by block, blocks left, status; open
    alarms as severity, subject, object, message."""

    facts: list[tuple[str, str]]
    challenges: list[tuple[str, str, str, str, str]]
    alarms: list[tuple[str, str, str, str]]


@click.command()
def status() -> None:
    """Show head, eon, deadlines, transactions under way, open alarms and running duties."""
    console = Console()
    with as_click_errors():
        settings = Settings.from_env(signs=False)
        with session_of(settings) as session:
            standing = read_standing(session)
        found, _ = asyncio.run(list_running(settings, MOST_ROWS))
    console.print(_table("The commit-chain", ("", ""), standing.facts))
    console.print(duty_table("Duties at work", found))
    if standing.challenges:
        console.print(_table("Open challenges", CHALLENGE_COLUMNS, standing.challenges))
    if standing.alarms:
        columns = ("severity", "alarm", "about", "message")
        console.print(_table("Open alarms", columns, standing.alarms))
    else:
        console.print("no open alarm")


def read_standing(session: Session) -> Standing:
    """What the database knows; raises `ClickException` before the operator's first start."""
    stored, view = find_parameters(session), find_view(session)
    if stored is None or view is None:
        raise click.ClickException("the operator has not seen the chain yet")
    clock = EonClock(stored.genesis_block, stored.blocks_per_eon)
    eon, head = view.current_eon, view.latest_block
    submitted = view.last_submitted_eon >= eon
    deadline = "on chain" if submitted else f"{clock.last_block(eon) - head} blocks left"
    unmined = session.scalar(select(func.count()).where(TransactionIntent.state.in_(OPEN)))
    facts = [
        ("contract", f"0x{stored.contract.hex()} ({stored.edition.value})"),
        ("head", f"block {head}, confirmed {view.confirmed_block}, seen {view.seen_at:%H:%M:%S}"),
        ("eon", f"{eon}, block {clock.sub_block(head)} of {stored.blocks_per_eon}"),
        ("checkpoint", f"{deadline}; last submitted: eon {view.last_submitted_eon}"),
        ("intake", view.intake),
        ("paused", ", ".join(paused_switches(session)) or "nothing"),
        ("challenges of this eon unanswered on chain", str(view.live_challenges)),
        ("transactions under way", str(unmined)),
    ]
    rows = session.execute(
        select(Alarm.severity, Alarm.subject, Alarm.object, Alarm.message)
        .where(Alarm.cleared_at.is_(None))
        .order_by(Alarm.time.desc())
        .limit(MOST_ROWS)
    )
    alarms = [(row[0], row[1], row[2], row[3]) for row in rows]
    return Standing(facts, _open_challenges(session, head), alarms)


def _open_challenges(session: Session, head: int) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            str(one.id),
            one.in_words,
            str(one.deadline_block),
            str(max(0, one.deadline_block - head)),
            one.status,
        )
        for one in open_challenges(session, MOST_ROWS)
    ]


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(*columns, title=title, title_justify="left", show_header=any(columns))
    for row in rows:
        table.add_row(*row)
    return table
