"""`python -m tests.contracts.campaign`: many random steps, the seed printed."""

import secrets
import tempfile
import time
from pathlib import Path

import click

from contracts.deployment import deploy_libraries
from contracts.development import development_account
from contracts.sending import Sender

from ..conftest import node_running
from .machine import Machine


@click.command()
@click.option("--steps", default=2000, show_default=True, help="Least number of steps.")
@click.option("--eons", default=50, show_default=True, help="Least number of eons.")
@click.option("--seed", type=int, help="Repeat a campaign; a new one unless given.")
def campaign(steps: int, eons: int, seed: int | None) -> None:
    """Run a campaign against an own node, and stop at the first violation."""
    seed = secrets.randbits(32) if seed is None else seed
    click.echo(f"seed {seed}")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, node_running(Path(folder)) as w3:
        libraries, _ = deploy_libraries(Sender(w3, development_account(9).private_key))
        machine = Machine(w3, libraries, seed)
        taken = 0
        while taken < steps or machine.report.eons < eons:
            machine.step()
            taken += 1
            if taken % 200 == 0:
                click.echo(f"{taken} steps, {machine.report.eons} eons")
        # Halts are rare on the way: the last life ends with one.
        machine.halt()
    report = machine.report
    click.echo(
        f"seed {seed}: {taken} steps over {report.eons} eons, {report.halts} halts recovered from,"
        f" no violation, {time.monotonic() - begun:.0f} s"
    )
    click.echo(", ".join(f"{name} {count}" for name, count in report.steps.most_common()))


if __name__ == "__main__":
    campaign()
