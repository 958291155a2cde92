"""`python -m tests.contracts.gas`: the table of `docs/contract-gas.md`, and the sizes."""

import tempfile
from itertools import chain
from pathlib import Path

import click

from contracts.artefacts import ARTEFACTS, load_artefact
from contracts.deployment import deploy_commit_chain, deploy_libraries
from contracts.development import development_account
from contracts.sending import Sender

from ..conftest import node_running
from . import deep, small

DEPLOYMENT = 15_199_884
LARGEST_RATIO = 1.15


@click.command()
def gas() -> None:
    """Print every row, and at the end those above 1.15 times the original's."""
    with tempfile.TemporaryDirectory() as folder, node_running(Path(folder)) as w3:
        deployed = deploy_commit_chain(
            w3, development_account(8).private_key, blocks_per_eon=60, confirmations=3
        )
        libraries, _ = deploy_libraries(Sender(w3, development_account(9).private_key))
        rows = [
            small.Row("deployment, all contracts", deployed.gas_used, DEPLOYMENT),
            *chain(small.measure(w3, libraries), deep.measure(w3, libraries)),
        ]
    click.echo("| call | ours | original | ratio |\n| --- | ---: | ---: | ---: |")
    for row in rows:
        ratio = row.ours / row.original
        click.echo(f"| {row.call} | {row.ours:,} | {row.original:,} | {ratio:.2f} |")
    dearer = [row for row in rows if row.ours > LARGEST_RATIO * row.original]
    click.echo(f"\n{len(rows)} rows, {len(dearer)} above {LARGEST_RATIO}")
    for row in dearer:
        click.echo(f"  {row.call}: {row.ours / row.original:.2f}")
    click.echo("\n| contract | bytes |\n| --- | ---: |")
    for path in sorted(ARTEFACTS.glob("*.json")):
        click.echo(f"| {path.stem} | {load_artefact(path.stem)['runtimeBytes']:,} |")


if __name__ == "__main__":
    gas()
