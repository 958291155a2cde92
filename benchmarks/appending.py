"""How fast the ledger appends transfers without HTTP: `python -m benchmarks.appending URL`.

It drives `GroupCommit` from an event loop in this process, each of 64 senders one transfer at a
time, signatures prepared beforehand.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time

from benchmarks.payer import Payer, Purse, key_of
from benchmarks.seed import EON, add_wallets, bootstrap
from ledger.group_commit import GroupCommit
from ledger.rules import LedgerRules
from ledger.transfers import TransferRequest
from models import migrate
from models.engine import open_engine
from protocol.signing import Signer

PAIRS = 64
EACH = 300
AMOUNT = 10**6
FUNDS = 10**18
CONTRACT = b"\x09" * 20


def prepare(rules: LedgerRules, first_trail: int, each: int) -> list[list[TransferRequest]]:
    """Sign every transfer of every pair; each recipient has one payer, so positions are known."""
    plans = []
    for pair in range(PAIRS):
        sender, receiver = key_of(2 * pair), key_of(2 * pair + 1)
        payer = Payer(
            sender,
            first_trail + 2 * pair,
            contract=CONTRACT,
            token=CONTRACT,
            eon=EON,
            funds=FUNDS,
        )
        purse = Purse(receiver.address, first_trail + 2 * pair + 1)
        plan = []
        for nonce in range(each):
            plan.append(payer.pay(purse, AMOUNT, nonce))
            payer.delivered(purse, AMOUNT, nonce, AMOUNT * nonce)
        plans.append(plan)
    return plans


async def drive(group: GroupCommit, plans: list[list[TransferRequest]]) -> list[float]:
    """Send every plan, its transfers one after the other; return the latencies in seconds."""
    latencies: list[float] = []

    async def send(plan: list[TransferRequest]) -> None:
        for request in plan:
            begun = time.perf_counter()
            await group.submit(request)
            latencies.append(time.perf_counter() - begun)

    group.start()
    await asyncio.gather(*(send(plan) for plan in plans))
    await group.stop()
    return latencies


def main(url: str, each: int, workers: int) -> None:
    """Seed an empty database at `url`, append, and print what it took."""
    migrate.upgrade(url)
    engine = open_engine(url, application_name="benchmark")
    rules = bootstrap(engine, operator=Signer(b"\x01" * 32), contract=CONTRACT, chain_id=1337)
    first = add_wallets(engine, rules, 2 * PAIRS, FUNDS)
    plans = prepare(rules, first, each)
    group = GroupCommit(engine, rules, workers=workers)
    used = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.perf_counter()
    latencies = sorted(asyncio.run(drive(group, plans)))
    elapsed = time.perf_counter() - begun
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    count = len(latencies)
    print(f"{count} transfers, {count / elapsed:,.0f}/s, {cpu / count * 1e6:.0f} us of CPU each")
    print(
        f"p50 {latencies[count // 2] * 1e3:.1f} ms, p99 {latencies[count * 99 // 100] * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
