"""`nocust-operator demo`: the round of a wallet's money, played on the running stack as a story."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Final

import click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from contracts.development import DEVELOPMENT_MNEMONIC
from duties import names
from settings import Settings
from simulation.pace import ChainPace, NeverHappened
from simulation.round import Amounts, Chapter, Round
from wallet.errors import OperatorRefused, WalletError
from wallet.keys import Keys
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import open_home

ETHER: Final = 10**18
AMOUNTS: Final = Amounts(
    deposit=2 * ETHER, payment=ETHER // 2, repayment=ETHER // 10, withdrawal=ETHER // 4
)
READY_TIMEOUT_S: Final = 120
UNAVAILABLE: Final = 503
IN_ETHER: Final = frozenset({"amount", "balance", "left off chain"})


@click.command()
@click.option("--payer", default=1, show_default=True, help="Development account that deposits.")
@click.option("--payee", default=2, show_default=True, help="Development account that withdraws.")
def demo(payer: int, payee: int) -> None:
    """Register, deposit, pay, be paid, see the eon commit, withdraw, be paid out.

    Needs the development stack (`./run.sh`) and takes a little more than four eons.
    """
    console = Console()
    try:
        asyncio.run(_play(console, payer, payee))
    except (WalletError, NeverHappened) as error:
        raise click.ClickException(f"the story broke off: {error}") from error


async def _play(console: Console, payer: int, payee: int) -> None:
    settings = Settings.from_env(signs=False)
    began = time.monotonic()
    story = Storyteller(console, settings)
    chain = ParentChain(
        settings.node_url.reveal()
        if settings.node_url
        else f"http://127.0.0.1:{settings.node_port}",
        settings.contract_address,
    )
    async with OperatorApi(f"http://127.0.0.1:{settings.api_port}") as api:
        await _until_ready(api, story)
        home = await open_home(api, chain)
        keys = tuple(Keys.from_mnemonic(DEVELOPMENT_MNEMONIC, index) for index in (payer, payee))
        tale = Round.of(
            home,
            (keys[0], keys[1]),
            settings.contract_address,
            AMOUNTS,
            ChainPace(chain.block, story.wait),
            story.tell,
        )
        try:
            await tale.play()
        finally:
            await home.stream.close()
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    console.print(f"[green]The money went round in {minutes} min {seconds} s.[/green]")


async def _until_ready(api: OperatorApi, story: Storyteller) -> None:
    """Wait for a stack that is only starting; one that is not there at all is an error."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            await api.status()
            return
        except OperatorRefused as refusal:
            if refusal.status != UNAVAILABLE or time.monotonic() > deadline:
                raise
            story.wait(refusal.message or "the operator", 0)
            await asyncio.sleep(1)


class Storyteller:
    """Prints chapters as panels and what is waited for as one line each."""

    def __init__(self, console: Console, settings: Settings) -> None:
        self._console = console
        self._settings = settings
        self._waiting = ""
        self._chapters = 0

    def wait(self, what: str, blocks: int) -> None:
        """Say once what is waited for, then every ten blocks how long already."""
        if what != self._waiting or (blocks and blocks % 10 == 0):
            spent = f" ({blocks} blocks so far)" if blocks else ""
            self._console.print(f"[dim]   … waiting for {what}{spent}[/dim]", highlight=False)
            self._waiting = what

    def tell(self, chapter: Chapter) -> None:
        """Print one chapter."""
        self._chapters += 1
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(overflow="fold")
        for name, value in chapter.facts.items():
            table.add_row(name, _in_ether(value) if name in IN_ETHER else value)
        if chapter.eon is not None:
            table.add_row("eon", str(chapter.eon))
            table.add_row("Temporal", self._link(chapter))
        self._console.print(
            Panel(table, title=f"{self._chapters}. {chapter.title}", title_align="left")
        )

    def _link(self, chapter: Chapter) -> str:
        if chapter.desk is not None:
            workflow = names.withdrawal_desk_id("ETH", chapter.desk.removeprefix("0x"))
        else:
            workflow = names.eon_id(chapter.eon or 0)
        host = f"http://127.0.0.1:{self._settings.temporal_ui_port}"
        return f"{host}/namespaces/{self._settings.temporal_namespace}/workflows/{workflow}"


def _in_ether(units: str) -> str:
    return f"{Decimal(units).scaleb(-18).normalize():f} ETH ({units} wei)"
