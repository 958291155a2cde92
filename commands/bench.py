"""`nocust-operator bench`: measure the hot path and the checkpoint on this machine."""

from __future__ import annotations

import asyncio
import resource
from typing import Final

import click
from rich.console import Console
from sqlalchemy import Engine, func, select

from benchmarks import checkpoint as checkpoints
from benchmarks import orders as trading
from benchmarks import streams as telling
from benchmarks import transfers as paying
from benchmarks.cpu import cpu_seconds
from benchmarks.operator import MeasuredOperator, measured_database, measured_operator
from benchmarks.seed import add_wallets
from ledger.audit import verify_ledger
from ledger.rules import LedgerRules
from models import Transfer
from models.engine import open_sessions

CROWD: Final = 8
SAFETY: Final = 1.15
LEAST_OF_RATE: Final = 0.9
"""A machine that cannot pay that fast measures nothing."""


@click.group()
def bench() -> None:
    """Measure this machine. Everything runs in a temporary folder with fsync on."""


@bench.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long the pairs pay.")
@click.option("--pairs", default=64, show_default=True, help="Senders, each with a recipient.")
@click.option("--least", default=paying.LATER.stop, show_default=True, help="Of each pair.")
@click.option("--crowd-seconds", default=15.0, show_default=True, help="How long 8 pay one.")
@click.option("--api-processes", default=2, show_default=True)
@click.option("--prepared-rate", default=3000, show_default=True, help="Signed beforehand, per s.")
def transfers(
    seconds: float,
    pairs: int,
    least: int,
    crowd_seconds: float,
    api_processes: int,
    prepared_rate: int,
) -> None:
    """Pay over HTTP, then verify every receipt, every set and every sum."""
    console = Console()
    with measured_operator(api_processes) as operator:
        newcomer = 2 * pairs + CROWD + 1
        wallets = newcomer + 2 * paying.NEWCOMERS
        first = add_wallets(operator.engine, operator.rules, wallets, paying.FUNDS)
        place = paying.Place(operator.rules.contract, first)
        count = max(int(prepared_rate * seconds / pairs), int(least * SAFETY))
        console.print(f"signing {count * pairs:,} transfers")
        plans = paying.prepare(place, pairs, count)
        joining = paying.prepare(place, paying.NEWCOMERS, paying.FIRST, first=newcomer)
        used = _cpu(operator)
        measured, joined = asyncio.run(
            paying.run_pairs(
                operator.host, operator.port, plans, joining, seconds=seconds, least=least
            )
        )
        _report(console, f"{pairs} pairs", measured)
        _report_cpu(console, operator, used, measured.count)
        growth = measured.growth_against(joined)
        if growth is not None:
            console.print(
                f"transfers 1,901-2,000 against newcomers' 1-100 in the same seconds: "
                f"{growth:.2f} of the median"
            )
        crowd = list(range(2 * pairs, 2 * pairs + CROWD))
        crowded = asyncio.run(
            paying.run_crowd(
                operator.host,
                operator.port,
                place,
                crowd,
                2 * pairs + CROWD,
                seconds=crowd_seconds,
            )
        )
        _report(console, f"{CROWD} senders, one recipient", crowded)
        check = paying.ReceiptCheck(place, operator.rules.operator.address)
        check.check(range(0, 2 * pairs, 2), measured)
        check.check(crowd, crowded)
        check.check(range(newcomer, wallets, 2), joined)
        _conclude(console, operator, check)


@bench.command()
@click.option("--subscribers", default=1_000, show_default=True, help="Each a socket.")
@click.option("--pairs", default=500, show_default=True, help="Senders, each with a recipient.")
@click.option("--rate", default=300.0, show_default=True, help="Transfers a second, of all pairs.")
@click.option("--seconds", default=30.0, show_default=True)
@click.option("--limit-ms", default=500.0, show_default=True, help="For p99; 0: only count.")
@click.option("--api-processes", default=2, show_default=True)
def streams(
    subscribers: int, pairs: int, rate: float, seconds: float, limit_ms: float, api_processes: int
) -> None:
    """Pay while sockets listen: each must be told of each payment once, in order, and soon."""
    console = Console()
    with measured_operator(api_processes) as operator:
        first = add_wallets(operator.engine, operator.rules, 2 * pairs, paying.FUNDS)
        place = paying.Place(operator.rules.contract, first)
        count = max(1, round(rate * seconds / pairs))
        console.print(f"signing {count * pairs:,} transfers")
        plans = paying.prepare(place, pairs, count)
        used: dict[str, float] = {}
        told = asyncio.run(
            telling.run(
                operator.host,
                operator.port,
                place,
                plans,
                count=subscribers,
                rate=rate,
                begin=lambda: used.update(_cpu(operator)),
            )
        )
        latencies = told.latencies_s()
        p50, p99 = (latencies[len(latencies) * part // 100] * 1e3 for part in (50, 99))
        console.print(
            f"[bold]{subscribers:,} subscribers: {told.messages:,} notifications of "
            f"{told.paid.count:,} transfers[/bold], {told.paid.rate:,.0f} transfers a second, "
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, at most {latencies[-1] * 1e3:.1f} ms"
        )
        _report_cpu(console, operator, used, told.paid.count)
        faults = told.faults()
        if limit_ms and p99 > limit_ms:
            faults.append(f"p99 is {p99:.1f} ms, above {limit_ms:.1f} ms")
        if limit_ms and told.paid.rate < rate * LEAST_OF_RATE:
            faults.append(f"{told.paid.rate:.0f} transfers a second instead of {rate:.0f}")
        if faults:
            raise click.ClickException("; ".join(faults[:10]))
        check = paying.ReceiptCheck(place, operator.rules.operator.address)
        check.check(range(0, 2 * pairs, 2), told.paid)
        _conclude(console, operator, check)


@bench.command()
@click.option("--wallets", default=10_000, show_default=True)
@click.option("--active", default=None, type=int, help="Wallets that paid; a tenth by default.")
def checkpoint(wallets: int, active: int | None) -> None:
    """Close an eon and build, store and verify its checkpoint."""
    console = Console()
    with measured_database() as database:
        timing = checkpoints.measure(database.engine, wallets, active or wallets // 10)
        console.print(
            f"{timing.wallets:,} wallets, {timing.active:,} active: {timing.total_s:.2f} s "
            f"(close {timing.close_s:.2f}, build and store {timing.build_s:.2f}, "
            f"verify {timing.verify_s:.2f})"
        )
        console.print(f"root 0x{timing.summary.merkle_root.hex()}, {timing.summary.status}")


@bench.command()
@click.option("--takers", default=1000, show_default=True, help="Each fills one resting order.")
@click.option("--books", default="100,1000,10000", show_default=True, help="Sizes of the book.")
@click.option("--threads", default=4, show_default=True, help="That place orders.")
def orders(takers: int, books: str, threads: int) -> None:
    """Place orders into books of several sizes, match them, and audit the ledger."""
    console = Console()
    for size in map(int, books.split(",")):
        with measured_database() as database:
            floor = trading.open_floor(database.engine, max(size, takers))
            resting = trading.sign_orders(floor, range(size), sells_native=False, dearness=-1)
            begun = size // 10
            trading.place_all(floor, resting[:begun], threads=threads)
            trading.settle_statistics(floor)
            placed = trading.place_all(floor, resting[begun:], threads=threads)
            trading.match_all(floor)
            taking = trading.sign_orders(floor, range(min(takers, size)), sells_native=True)
            trading.place_all(floor, taking, threads=threads)
            matched = trading.match_all(floor)
            console.print(
                f"[bold]book of {size:,}: {placed.per_second:,.0f} orders a second placed, "
                f"{matched.per_second:,.0f} trades a second matched[/bold] "
                f"({matched.count:,} in {matched.elapsed_s:.2f} s, "
                f"{matched.elapsed_s / max(matched.count, 1) * 1e6:,.0f} µs each)"
            )
            faults = _audit(floor.engine, floor.rules)
            if faults:
                raise click.ClickException("; ".join(faults[:10]))


def _report(console: Console, name: str, measured: paying.Measured) -> None:
    console.print(
        f"[bold]{name}: {measured.rate:,.0f} transfers a second[/bold] "
        f"({measured.count:,} in {measured.elapsed_s:.1f} s), "
        f"p50 {measured.percentile_s(50) * 1e3:.1f} ms, "
        f"p99 {measured.percentile_s(99) * 1e3:.1f} ms"
    )


def _cpu(operator: MeasuredOperator) -> dict[str, float]:
    used = {
        role: sum(cpu_seconds(process) for process in processes)
        for role, processes in operator.processes.items()
    }
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {**used, "load": own.ru_utime + own.ru_stime}


def _report_cpu(
    console: Console, operator: MeasuredOperator, before: dict[str, float], count: int
) -> None:
    shares = [
        f"{role} {(seconds - before[role]) / count * 1e6:.0f} µs"
        for role, seconds in _cpu(operator).items()
    ]
    console.print(f"CPU a transfer: {', '.join(shares)}")


def _conclude(console: Console, operator: MeasuredOperator, check: paying.ReceiptCheck) -> None:
    """Compare answers and ledger; raise `ClickException` if anything is wrong."""
    faults = check.faults + _audit(operator.engine, operator.rules)
    stored = _count(operator.engine)
    if stored != len(check.ids):
        faults.append(f"{stored} transfers are stored, {len(check.ids)} were answered")
    if faults:
        raise click.ClickException("; ".join(faults[:10]))
    console.print(
        f"[green]{stored:,} receipts verified, as many stored; every set rebuilt, "
        "every sum conserved[/green]"
    )


def _audit(engine: Engine, rules: LedgerRules) -> list[str]:
    with open_sessions(engine)() as session:
        return verify_ledger(session, rules)


def _count(engine: Engine) -> int:
    with open_sessions(engine)() as session:
        return session.scalar(select(func.count()).select_from(Transfer)) or 0
