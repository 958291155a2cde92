"""`check-vectors DIR`: does this protocol compute what was recorded elsewhere?"""

import json
from pathlib import Path

import click

from protocol.errors import ProtocolError
from protocol.keccak import require_fast_crypto
from protocol.vectors.checker import SET_ASIDE_FILES, VectorMismatch, check_file
from protocol.vectors.comparison import Json


@click.command("check-vectors")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check_vectors(folder: Path) -> None:
    """Recompute every expected value of every vector in FOLDER.

    Prints the cases of each file and stops at the first value that differs, naming file, case and
    field. No cases, an unknown file and a value that nothing recomputes are failures too.
    """
    try:
        require_fast_crypto()
        cases = _check_folder(folder)
    except ProtocolError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{cases} cases, every expected value recomputed")


def _check_folder(folder: Path) -> int:
    documents = {path.name: _read(path) for path in sorted(folder.iterdir())}
    total = 0
    for name in documents:
        if name in SET_ASIDE_FILES:
            click.echo(f"{name}: set aside, the original's form")
            continue
        report = check_file(name, documents)
        total += report.cases
        aside = f", {report.set_aside} values set aside: a passive root enters them"
        click.echo(f"{name}: {report.cases} cases{aside if report.set_aside else ''}")
    if not total:
        raise VectorMismatch(f"{folder}: no cases")
    return total


def _read(path: Path) -> Json:
    if path.suffix != ".json":
        raise VectorMismatch(f"{path.name}: unknown file")
    try:
        document: Json = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=_without_repetition
        )
    except ValueError as error:
        raise VectorMismatch(f"{path.name}: {error}") from error
    return document


def _without_repetition(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is given twice")
    return fields
