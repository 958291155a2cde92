"""`nocust-operator demo`: a wallet's money goes round, is traded or disputed, as a story."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final, TypeAlias

import click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from temporalio.client import Client

from commands.temporal import connect_lazily
from contracts.development import DEVELOPMENT_MNEMONIC
from duties import names
from duties.search_attributes import DUTY, WALLET
from protocol.address import Address
from settings import Settings
from simulation.chapters import Chapter
from simulation.contest import Contest
from simulation.pace import ChainPace, NeverHappened
from simulation.round import Amounts, Round
from simulation.trade import Trade
from wallet.errors import OperatorRefused, WalletError
from wallet.keys import Keys
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import Home, open_home

ETHER: Final = 10**18
AMOUNTS: Final = Amounts(
    deposit=2 * ETHER, payment=ETHER // 2, repayment=ETHER // 10, withdrawal=ETHER // 4
)
READY_TIMEOUT_S: Final = 120
UNAVAILABLE: Final = 503
IN_UNITS: Final = frozenset({"amount", "balance", "left off chain", "left in the order", "unsold"})
TRADED: Final = 2 * ETHER
MOST_DUTIES: Final = 100


Tell: TypeAlias = Callable[[Chapter], None]
Play: TypeAlias = Callable[[Home, Settings, ChainPace, Tell], Awaitable[None]]


@click.group(invoke_without_command=True)
@click.option("--payer", default=1, show_default=True, help="Development account that deposits.")
@click.option("--payee", default=2, show_default=True, help="Development account that withdraws.")
@click.pass_context
def demo(context: click.Context, payer: int, payee: int) -> None:
    """Register, deposit, pay, be paid, see the eon commit, withdraw, be paid out.

    Needs the development stack (`./run.sh`) and takes a little more than four eons.
    """
    if context.invoked_subcommand is not None:
        return

    async def play(home: Home, settings: Settings, pace: ChainPace, tell: Tell) -> None:
        keys = _account(payer), _account(payee)
        await Round.of(home, keys, settings.contract_address, AMOUNTS, pace, tell).play()

    _tell_story(play, "The money went round")


@demo.command()
@click.option("--seller", default=1, show_default=True, help="Development account that sells ETH.")
@click.option("--buyer", default=2, show_default=True, help="Development account that pays LQD.")
def trade(seller: int, buyer: int) -> None:
    """Trade across an eon boundary, cancel the rest, prove the balances, take the proceeds out.

    Needs the development stack (`./run.sh`) and takes a little more than six eons.
    """

    async def play(home: Home, settings: Settings, pace: ChainPace, tell: Tell) -> None:
        owners = _account(seller), _account(buyer)
        tokens = {settings.contract_address: "ETH", settings.sla_token_address: "LQD"}
        await Trade.of(home, owners, tokens, TRADED, pace, tell).play()

    _tell_story(play, "The orders were traded and the proceeds taken out")


@demo.command()
@click.option("--payer", default=1, show_default=True, help="Development account that disputes.")
@click.option("--payee", default=2, show_default=True, help="Development account that it paid.")
def challenge(payer: int, payee: int) -> None:
    """Dispute a balance and two deliveries on chain, and see each answered before its last block.

    Needs the development stack (`./run.sh`) and takes two to three eons. Exits with 1 when an
    answer is missing.
    """

    async def play(home: Home, settings: Settings, pace: ChainPace, tell: Tell) -> None:
        keys, token = (_account(payer), _account(payee)), settings.contract_address
        find = DutyFinder(await connect_lazily(settings))
        story = Round.of(home, keys, token, AMOUNTS, pace, tell)
        await Contest(story, find.challenge).play()

    _tell_story(play, "Every challenge was answered in time")


class DutyFinder:
    """Looks duties up as a person does in the Temporal UI."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def challenge(self, sender: Address, recipient: Address) -> str | None:
        """The id of the newest duty that answers a challenge between two wallets."""
        named = names.challenge_id(0, sender.hex(), recipient.hex())
        query = f"{DUTY.name} = 'challenge' AND {WALLET.name} = '0x{recipient.hex()}'"
        found = [
            one
            async for one in self._client.list_workflows(query, limit=MOST_DUTIES)
            if _without_number(one.id) == _without_number(named)
        ]
        newest = max(found, key=lambda one: one.start_time, default=None)
        return None if newest is None else newest.id


def _without_number(challenge_id: str) -> str:
    return challenge_id.split("-", 2)[2]


def _account(index: int) -> Keys:
    return Keys.from_mnemonic(DEVELOPMENT_MNEMONIC, index)


def _tell_story(play: Play, moral: str) -> None:
    console = Console()
    began = time.monotonic()
    try:
        asyncio.run(_play(console, play))
    except (WalletError, NeverHappened) as error:
        raise click.ClickException(f"the story broke off: {error}") from error
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    console.print(f"[green]{moral} in {minutes} min {seconds} s.[/green]")


async def _play(console: Console, play: Play) -> None:
    settings = Settings.from_env(signs=False)
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
        try:
            await play(home, settings, ChainPace(chain.block, story.wait), story.tell)
        finally:
            await home.stream.close()


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
        self._waiting = ("", 0)
        self._chapters = 0

    def wait(self, what: str, blocks: int) -> None:
        """Say once what is waited for, then every ten blocks how long already."""
        said, at = self._waiting
        if what != said or (blocks != at and blocks % 10 == 0):
            spent = f" ({blocks} blocks so far)" if blocks else ""
            self._console.print(f"[dim]   … waiting for {what}{spent}[/dim]", highlight=False)
            self._waiting = what, blocks

    def tell(self, chapter: Chapter) -> None:
        """Print one chapter."""
        self._chapters += 1
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(overflow="fold")
        for name, value in chapter.facts.items():
            table.add_row(name, _in_tokens(value, chapter) if name in IN_UNITS else value)
        if chapter.eon is not None:
            table.add_row("eon", str(chapter.eon))
        if chapter.eon is not None or chapter.duty is not None:
            table.add_row("Temporal", self._link(chapter))
        self._console.print(
            Panel(table, title=f"{self._chapters}. {chapter.title}", title_align="left")
        )

    def _link(self, chapter: Chapter) -> str:
        if chapter.duty is not None:
            workflow = chapter.duty
        elif chapter.desk is not None:
            workflow = names.withdrawal_desk_id(chapter.symbol, chapter.desk.removeprefix("0x"))
        else:
            workflow = names.eon_id(chapter.eon or 0)
        host = f"http://127.0.0.1:{self._settings.temporal_ui_port}"
        return f"{host}/namespaces/{self._settings.temporal_namespace}/workflows/{workflow}"


def _in_tokens(units: str, chapter: Chapter) -> str:
    return f"{Decimal(units).scaleb(-18).normalize():f} {chapter.symbol} ({units} units)"
