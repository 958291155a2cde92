"""Whoever acts gives a name and a reason: the options of every command that changes something."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from getpass import getuser
from typing import Any, Final

import click

from ledger.interventions import Person

LONGEST_TEXT: Final = 500
LONGEST_ID: Final = 100


def acting(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--reason`, `--actor` and `--update-id`, and hand them to the command as `person`."""

    @click.option("--reason", required=True, callback=_text, help="Why; it is recorded.")
    @click.option(
        "--actor", default=getuser, callback=_text, show_default="the user of this machine"
    )
    @click.option("--update-id", help="Your name for this act: repeated, it is done once.")
    @wraps(command)
    def act(
        *arguments: Any, reason: str, actor: str, update_id: str | None, **options: Any
    ) -> None:
        if update_id is not None and not 0 < len(update_id) <= LONGEST_ID:
            raise click.BadParameter(f"--update-id has 1 to {LONGEST_ID} characters")
        command(*arguments, person=Person(actor, reason, update_id), **options)

    return act


def _text(_context: click.Context, parameter: click.Parameter, text: str) -> str:
    if not 0 < len(text.strip()) <= LONGEST_TEXT:
        raise click.BadParameter(f"{parameter.name} has 1 to {LONGEST_TEXT} characters")
    return text.strip()
