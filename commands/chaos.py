"""`nocust-operator chaos`: two eons under load while every process is killed again and again."""

from __future__ import annotations

import asyncio
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from commands.audit import find_faults
from contracts.development import DEVELOPMENT_MNEMONIC
from settings import ROOT, Settings, inherited_environment
from simulation.load import Load, find_lost_or_doubled
from simulation.pace import ChainPace
from stack.data_folder import DataFolder
from stack.ports import free_port, is_listening
from stack.postgres import EmbeddedPostgres
from stack.saboteur import carry_out, draw_strikes, survivors
from wallet.errors import WalletError
from wallet.keys import Keys
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import Home, Wallet, open_home

VICTIMS: Final = ("postgres", "temporal", "node", "api-1", "worker")
READY_TIMEOUT_S: Final = 240
SETTLE_TIMEOUT_S: Final = 120
STOP_TIMEOUT_S: Final = 60
DEPOSIT: Final = 10**19
# An empty value means unset: chaos kills parts of its own, never those that somebody relies on.
REAL_SERVICES: Final = (
    "HUB_DATABASE_URL",
    "POSTGRES_SERVER_HOST",
    "TEMPORAL_ADDRESS",
    "HUB_ETHEREUM_NODE_URL",
    "RUNNING_IN_PRODUCTION",
)
PORTS: Final = (
    "HUB_POSTGRES_PORT",
    "HUB_TEMPORAL_PORT",
    "HUB_TEMPORAL_UI_PORT",
    "HUB_NODE_PORT",
    "HUB_API_PORT",
)


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
    folder = DataFolder(Path(tempfile.mkdtemp(prefix="nocust-chaos-")))
    folder.root.chmod(0o755)
    try:
        run = Chaos(console, folder, random.Random(seed), eons, kills, min(wallets, 8))
        faults = asyncio.run(run.play())
    finally:
        if not keep:
            shutil.rmtree(folder.root, ignore_errors=True)
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
        self._console, self._folder, self._dice = console, folder, dice
        self._eons, self._kills, self._wallets = eons, kills, wallets
        self._ports = {name: free_port() for name in PORTS}
        self._environment = {
            **inherited_environment(**dict.fromkeys(REAL_SERVICES, "")),
            **{name: str(port) for name, port in self._ports.items()},
            "HUB_DATA_DIR": str(folder.root),
            "BLOCK_TIME": "1",
            "SLA_THRESHOLD": "1000000",
        }
        self._settings = Settings.from_env(self._environment, signs=False)

    async def play(self) -> list[str]:
        """Start, load, kill, settle, compare; return every fault found."""
        stack = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "cli.py"),
            "up",
            env=self._environment,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            await self._until_ready(READY_TIMEOUT_S)
            faults = await self._load_and_kill()
        finally:
            if stack.returncode is None:
                stack.send_signal(signal.SIGTERM)
            await asyncio.wait_for(stack.wait(), STOP_TIMEOUT_S)
        return faults + self._orphans()

    async def _load_and_kill(self) -> list[str]:
        chain = ParentChain(
            f"http://127.0.0.1:{self._ports['HUB_NODE_PORT']}", self._settings.contract_address
        )
        async with OperatorApi(self._url) as api:
            home = await open_home(api, chain)
            load = Load(await self._funded(home), self._dice)
            first_eon = load.wallets[0].book.eon
            span_s = float(self._eons * home.chain.blocks_per_eon * self._settings.block_time_s)
            victims = draw_strikes(VICTIMS, each=self._kills, span_s=span_s, dice=self._dice)
            paying = asyncio.create_task(load.run())
            began = time.monotonic()
            killed = await carry_out(victims, self._folder, self._console.print)
            await asyncio.sleep(max(0.0, span_s - (time.monotonic() - began)))
            load.stop()
            await paying
            await self._until_ready(SETTLE_TIMEOUT_S)
            faults = await self._compare(load, chain, first_eon)
            faults += await asyncio.to_thread(self._audit)
            await home.stream.close()
        self._console.print(
            f"{killed} kills, {len(load.acknowledged)} payments acknowledged,"
            f" eons {first_eon} to {load.wallets[0].book.eon};"
            f" refusals and interruptions: {dict(load.troubles)}"
        )
        return faults

    async def _funded(self, home: Home) -> list[Wallet]:
        token = self._settings.contract_address
        keys = [Keys.from_mnemonic(DEVELOPMENT_MNEMONIC, i) for i in range(1, self._wallets + 1)]
        wallets = [Wallet(home, key, token) for key in keys]
        for wallet in wallets:
            await wallet.register()
            await wallet.sync()
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

    def _audit(self) -> list[str]:
        """Recompute the ledger, in the database that the stack itself uses."""
        server = EmbeddedPostgres(self._folder.part("postgres"), self._ports["HUB_POSTGRES_PORT"])
        return find_faults(Settings.from_env(self._environment), server.url())

    def _orphans(self) -> list[str]:
        faults = [f"a process outlived the stack: {process}" for process in survivors(self._folder)]
        return faults + [
            f"port {port} ({name}) is still served"
            for name, port in self._ports.items()
            if is_listening("127.0.0.1", port)
        ]

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._ports['HUB_API_PORT']}"

    async def _until_ready(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not await asyncio.to_thread(_answers, f"{self._url}/health/ready"):
            if time.monotonic() > deadline:
                raise click.ClickException(
                    f"the stack is not ready after {timeout_s} s; see {self._folder.logs}"
                )
            await asyncio.sleep(0.5)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
