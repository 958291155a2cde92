"""`nocust-operator chaos`: two eons under load while every process is killed again and again."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from typing import Final

import click
from rich.console import Console

from commands.audit import find_faults
from contracts.development import DEVELOPMENT_MNEMONIC
from simulation.load import Load, find_lost_or_doubled
from simulation.pace import ChainPace
from simulation.patience import patiently
from stack.data_folder import DataFolder
from stack.errors import StackError
from stack.saboteur import carry_out, draw_strikes
from stack.trial import TrialStack, trial_folder
from wallet.errors import WalletError
from wallet.keys import Keys
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import Home, Wallet, open_home

VICTIMS: Final = ("postgres", "temporal", "node", "api-1", "worker")
READY_TIMEOUT_S: Final = 240
SETTLE_TIMEOUT_S: Final = 120
DEPOSIT: Final = 10**19


@click.command()
@click.option("--seed", type=int, help="Repeats an earlier run's kills; drawn when absent.")
@click.option("--eons", default=2, show_default=True, help="How long the load and the kills last.")
@click.option("--kills", default=3, show_default=True, help="Kills of each process.")
@click.option("--wallets", default=6, show_default=True, help="Paying wallets, at most 8.")
@click.option("--keep", is_flag=True, help="Keep the data folder for a post-mortem.")
def chaos(seed: int | None, eons: int, kills: int, wallets: int, keep: bool) -> None:
    """Prove that no kill loses or doubles a payment, misses a checkpoint or leaves an orphan."""
    console = Console()
    seed = secrets.randbits(32) if seed is None else seed
    console.print(f"seed {seed}")
    try:
        with trial_folder("chaos", keep=keep) as folder:
            run = Chaos(console, folder, random.Random(seed), eons, kills, min(wallets, 8))
            faults = asyncio.run(run.play())
    except StackError as error:
        raise click.ClickException(str(error)) from error
    for fault in faults:
        console.print(f"[red]{fault}[/red]")
    if faults:
        raise click.ClickException(f"seed {seed}: {len(faults)} faults")
    console.print(f"[green]seed {seed}: nothing lost, nothing doubled, nothing late[/green]")


class Chaos:
    """One run on a stack of its own."""

    def __init__(
        self,
        console: Console,
        folder: DataFolder,
        dice: random.Random,
        eons: int,
        kills: int,
        wallets: int,
    ) -> None:
        self._console, self._dice = console, dice
        self._eons, self._kills, self._wallets = eons, kills, wallets
        self._stack = TrialStack(folder, BLOCK_TIME="1", SLA_THRESHOLD="1000000")

    async def play(self) -> list[str]:
        """Start, load, kill, settle, compare; return every fault found."""
        async with self._stack.running():
            await self._stack.until_ready(READY_TIMEOUT_S)
            faults = await self._load_and_kill()
        return faults + self._stack.leftovers()

    async def _load_and_kill(self) -> list[str]:
        settings = self._stack.settings
        chain = ParentChain(self._stack.node_url, settings.contract_address)
        async with OperatorApi(self._stack.url) as api:
            home = await open_home(api, chain)
            load = Load(await self._funded(home), self._dice)
            first_eon = load.wallets[0].book.eon
            span_s = float(self._eons * home.chain.blocks_per_eon * settings.block_time_s)
            victims = draw_strikes(VICTIMS, each=self._kills, span_s=span_s, dice=self._dice)
            paying = asyncio.create_task(load.run())
            began = time.monotonic()
            killed = await carry_out(victims, self._stack.folder, self._console.print)
            await asyncio.sleep(max(0.0, span_s - (time.monotonic() - began)))
            load.stop()
            await paying
            await self._stack.until_ready(SETTLE_TIMEOUT_S)
            faults = await self._compare(load, chain, first_eon)
            faults += await asyncio.to_thread(find_faults, settings, self._stack.database_url())
            await home.stream.close()
        self._console.print(
            f"{killed} kills, {len(load.acknowledged)} payments acknowledged,"
            f" eons {first_eon} to {load.wallets[0].book.eon};"
            f" refusals and interruptions: {dict(load.troubles)}"
        )
        return faults

    async def _funded(self, home: Home) -> list[Wallet]:
        token = self._stack.settings.contract_address
        keys = [Keys.from_mnemonic(DEVELOPMENT_MNEMONIC, i) for i in range(1, self._wallets + 1)]
        wallets = [Wallet(home, key, token) for key in keys]
        for wallet in wallets:
            # On a busy machine the first checkpoint may be late: until then nobody is admitted.
            await patiently("the admission of a wallet", wallet.register)
            await patiently("its first look", wallet.sync)
        await asyncio.gather(*(wallet.deposit(DEPOSIT) for wallet in wallets))

        async def credited() -> bool:
            return all([(await wallet.sync()).balance == DEPOSIT for wallet in wallets])

        pace = ChainPace(home.parent_chain.block)
        await pace.wait_until("the deposits", credited, most_blocks=home.chain.blocks_per_eon)
        return wallets

    async def _compare(self, load: Load, chain: ParentChain, first_eon: int) -> list[str]:
        faults = await find_lost_or_doubled(load)
        held = 0
        for wallet in load.wallets:
            try:
                held += (await wallet.sync()).balance
            except WalletError as fault:
                faults.append(f"a wallet contradicts the operator: {fault!r}")
        deposited = DEPOSIT * len(load.wallets)
        if held != deposited:
            faults.append(f"the wallets hold {held} of the {deposited} that they deposited")
        if chain.has_missed_a_checkpoint():
            faults.append("a checkpoint was missed: the chain has halted")
        for eon in range(first_eon, chain.eon()):
            if chain.checkpoint_root(eon) is None:
                faults.append(f"eon {eon} has no checkpoint")
        return faults
