"""`nocust-operator simulate`: many eons of wallets, disputes and faults, played from a seed."""

from __future__ import annotations

import asyncio
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from commands.audit import find_faults
from commands.staging import BLOCKS_PER_EON, Staging
from simulation.play.cast import cast_of
from simulation.play.director import Director
from simulation.play.script import Script
from simulation.play.verdict import REQUIRED, Verdict, judge
from stack.data_folder import DataFolder
from stack.errors import StackError
from stack.trial import trial_folder
from wallet.errors import WalletError

FAST_EONS: Final = 6
FEWEST_EONS: Final = 5
THREADS: Final = 64
"""A wallet that waits for its transaction takes one."""


@click.command()
@click.option("--eons", default=20, show_default=True, type=click.IntRange(FEWEST_EONS, 1000))
@click.option("--seed", type=int, help="Repeats an earlier play's script; drawn when absent.")
@click.option("--wallets", default=12, show_default=True, type=click.IntRange(4, 200))
@click.option("--fast", is_flag=True, help=f"Only {FAST_EONS} eons, with every fault and dispute.")
@click.option("--keep", is_flag=True, help="Keep the data and the logs, whatever the verdict.")
def simulate(eons: int, seed: int | None, wallets: int, fast: bool, keep: bool) -> None:
    """Play many eons of wallets, disputes and faults against real parts, and judge the operator.

    Blocks are mined as fast as the operator reads and works. Ends with a verdict and an exit code.
    """
    console = Console(soft_wrap=True)
    seed = secrets.randbits(32) if seed is None else seed
    eons = FAST_EONS if fast else eons
    console.print(f"seed {seed}, {eons} eons of {BLOCKS_PER_EON} blocks, {wallets} wallets")
    began = time.monotonic()
    try:
        with trial_folder("simulate", keep=keep) as folder:
            console.print(f"[dim]data and logs: {folder.root}[/dim]", highlight=False)
            verdict = asyncio.run(_play(console, folder, seed, eons, wallets))
            show(console, verdict)
            if not verdict.holds:
                raise click.ClickException(f"seed {seed}: it failed; see {folder.root}")
    except (StackError, WalletError, TimeoutError) as error:
        raise click.ClickException(f"seed {seed}: {error or type(error).__name__}") from error
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    console.print(f"[green]seed {seed}: {eons} eons in {minutes} min {seconds} s[/green]")


async def _play(
    console: Console, folder: DataFolder, seed: int, eons: int, wallets: int
) -> Verdict:
    """Start everything, play, judge, and stop everything."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))

    def tell(line: str) -> None:
        console.print(line, highlight=False)

    cast = cast_of(wallets, eons)
    async with Staging(folder, seed) as staging:
        stage = await staging.set(cast)
        tell(f"ready at block {stage.clock.sub_block(stage.timeline.block)} of eon {stage.eon}")
        cues = Script(seed, stage.clock, eons, cast).cues()
        await Director(stage, cues, tell).play(eons)
        audit = await asyncio.to_thread(find_faults, staging.settings, staging.database_url())
        verdict = await judge(stage, eons=eons, audit=audit)
    waited = {name: round(seconds) for name, seconds in stage.timeline.waited_s.items()}
    tell(
        f"seconds waited for: {waited}; blocks that somebody was late for:"
        f" {stage.timeline.slow_blocks}; what wallets had to bear: {dict(stage.tally.troubles)}"
    )
    return verdict


def show(console: Console, verdict: Verdict) -> None:
    """Print what happened, the smallest margins, and everything that is wrong."""
    table = Table("what happened", "times", title="The verdict", title_justify="left")
    for name in sorted({*verdict.counts, *REQUIRED}):
        count = verdict.counts.get(name, 0)
        style = "red" if name in REQUIRED and not count else ""
        table.add_row(name, str(count), style=style)
    console.print(table)
    margins = Table("deadline", "fewest blocks left", title="Never late", title_justify="left")
    for name, blocks in verdict.margins.items():
        margins.add_row(name, str(blocks))
    console.print(margins)
    for name in verdict.missing:
        console.print(f"[red]never happened: {name}[/red]")
    for fault in verdict.faults:
        console.print(f"[red]{fault}[/red]", highlight=False)
