"""`nocust-operator doctor`: what is wrong with this operator, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import click

from commands.examinations.chain import examine_contract, examine_funds, examine_node
from commands.examinations.database import (
    examine_database,
    examine_deadlines,
    examine_disk,
    examine_parameters,
)
from commands.examinations.finding import Examination, Finding, Verdict, fail
from commands.examinations.keys import examine_key
from commands.examinations.temporal import examine_temporal
from key_settings import PLACES
from setting_types import SettingsError
from settings import Settings, inherited_environment

KEY_NAMES: Final = tuple(PLACES.values())
EXAMINATIONS: Final[Sequence[Examination]] = (
    examine_node,
    examine_contract,
    examine_funds,
    examine_database,
    examine_parameters,
    examine_temporal,
    examine_deadlines,
    examine_disk,
)


@click.command()
@click.option("--no-key", is_flag=True, help="This machine holds no key on purpose.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of lines.")
def doctor(*, no_key: bool, as_json: bool) -> None:
    """Examine key, node, clock, contract, funds, database, Temporal, workers, deadlines, disk.

    One line each: ok, warn or fail, and what to do. The exit code is 1 if anything fails.
    """
    found = examine(signs=not no_key)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            advice = f" -> {one.advice}" if one.advice else ""
            click.echo(f"{one.verdict:5} {one.what}: {one.message}{advice}")
    if any(one.verdict is Verdict.FAIL for one in found):
        raise SystemExit(1)


def examine(*, signs: bool) -> list[Finding]:
    """Everything that can be examined; a key that is not right does not hide the rest."""
    found: list[Finding] = []
    if signs:
        try:
            found += examine_key(Settings.from_env())
        except SettingsError as error:
            found += _problems(error)
    keyless = inherited_environment(**dict.fromkeys(KEY_NAMES, ""))
    try:
        settings = Settings.from_env(keyless, signs=False)
    except SettingsError as error:
        return found or _problems(error)
    for examination in EXAMINATIONS:
        found += examination(settings)
    return found


def _problems(error: SettingsError) -> list[Finding]:
    return [fail("settings", problem, "see docs/running.md") for problem in error.problems]
