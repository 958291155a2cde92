"""How fast balance trees are built: `python -m benchmarks.trees`.

Each size runs in a process of its own, so that its peak memory is its own.
"""

import multiprocessing
import os
import platform
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from protocol.keccak import keccak256, require_fast_crypto
from protocol.trees.balance import BalanceLeaves, inner_digest, verify_balance_proof

SIZES = (10_000, 100_000, 1_000_000)
HASHES = 1_000_000
LIMIT_S = {100_000: 5.0}
CONTRACT, TOKEN = b"\x01" * 20, b"\x02" * 20
BALANCE = 10**18


@dataclass(frozen=True)
class Measurement:
    """One tree: wallets, seconds to hash leaves and nodes, to prove one, and peak memory."""

    wallets: int
    leaves_s: float
    nodes_s: float
    proof_s: float
    peak_mib: float

    @property
    def total_s(self) -> float:
        """Seconds from the first leaf to the root."""
        return self.leaves_s + self.nodes_s


def measure(wallets: int) -> Measurement:
    """Build a tree in which every wallet has a balance and every tenth was active and paid."""
    start = time.perf_counter()
    leaves = BalanceLeaves(contract=CONTRACT, token=TOKEN)
    for trail in range(wallets):
        wallet = trail.to_bytes(20, "big")
        if trail % 10:
            leaves.add(wallet, BALANCE + trail)
        else:
            leaves.add(wallet, BALANCE + trail, **_activity(wallet))
    hashed = time.perf_counter()
    tree = leaves.tree()
    built = time.perf_counter()
    trail = wallets // 2 // 10 * 10
    wallet = trail.to_bytes(20, "big")
    proof = tree.proof(trail)
    proven = time.perf_counter()
    inner = inner_digest(contract=CONTRACT, token=TOKEN, wallet=wallet, **_activity(wallet))
    if not verify_balance_proof(
        inner, *tree.interval(trail), trail, *proof, root=tree.root, upper_bound=tree.upper_bound
    ):
        raise RuntimeError("the tree that was measured proves nothing")
    # Linux counts the peak in KiB.
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measurement(wallets, hashed - start, built - hashed, proven - built, peak_mib)


def hashes_a_second() -> float:
    """Measure the hash of one tree node's preimage in a plain loop."""
    data = bytes(68)
    start = time.perf_counter()
    for _ in range(HASHES):
        keccak256(data)
    return HASHES / (time.perf_counter() - start)


def main() -> None:
    """Measure and print, and fail if a tree takes longer than it may."""
    require_fast_crypto()
    print(_machine())
    print(f"keccak256 of 68 bytes: {hashes_a_second():,.0f} hashes/s in one process")
    print(f"{'wallets':>10} {'leaves':>9} {'nodes':>9} {'total':>9} {'a proof':>10} {'peak':>10}")
    context = multiprocessing.get_context("spawn")
    for wallets in SIZES:
        with context.Pool(1) as pool:
            result = pool.apply(measure, (wallets,))
        print(
            f"{wallets:>10,} {result.leaves_s:>7.2f} s {result.nodes_s:>7.2f} s "
            f"{result.total_s:>7.2f} s {result.proof_s * 1e6:>7.0f} µs {result.peak_mib:>6.0f} MiB"
        )
        if result.total_s > LIMIT_S.get(wallets, float("inf")):
            raise SystemExit(f"{wallets:,} wallets took longer than {LIMIT_S[wallets]} s")


class Activity(TypedDict):
    """What a wallet did in the eon, as its leaf commits to it."""

    active_digest: bytes
    passive_root: bytes
    passive_amount: int
    passive_marker: int


def _activity(wallet: bytes) -> Activity:
    digest = keccak256(wallet)
    return Activity(
        active_digest=digest, passive_root=digest, passive_amount=BALANCE, passive_marker=BALANCE
    )


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
        model = names[0] if names else model
    return (
        f"{model}, {os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
