"""How fast a checkpoint is made: from the eon's close to a root verified and ready to send."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from benchmarks.payer import Payer, Purse, key_of
from benchmarks.seed import EON, add_wallets, bootstrap
from ledger.audit import verify_checkpoint
from ledger.checkpoint import CheckpointSummary, build_checkpoint
from ledger.closing import close_eon
from ledger.rules import LedgerRules
from ledger.transfers import BatchMemory, TransferAccepted, TransferRequest, append_transfers
from models.engine import open_sessions
from protocol.address import Address
from protocol.signing import Signer

CONTRACT: Final[Address] = b"\x09" * 20
FUNDS: Final = 10**18
AMOUNT: Final = 10**6
BATCH: Final = 64
SAMPLED_PROOFS: Final = 200


class BenchmarkFailed(RuntimeError):
    """What was measured is wrong: a payment was refused or a proof does not verify."""


@dataclass(frozen=True, slots=True)
class CheckpointTiming:
    """Seconds of each step, for `wallets` wallets of which `active` paid and were paid."""

    wallets: int
    active: int
    close_s: float
    build_s: float
    verify_s: float
    summary: CheckpointSummary

    @property
    def total_s(self) -> float:
        """From the eon's close to a root verified."""
        return self.close_s + self.build_s + self.verify_s


def measure(engine: Engine, wallets: int, active: int) -> CheckpointTiming:
    """Fill the migrated, empty database of `engine`, end the eon, and time its checkpoint."""
    rules = bootstrap(engine, operator=Signer(b"\x01" * 32), contract=CONTRACT, chain_id=1337)
    first = add_wallets(engine, rules, wallets, FUNDS)
    _pay_around(engine, rules, first, active)
    sessions = open_sessions(engine)
    with sessions.begin() as session:
        _end_eon(session, rules)
    begun = time.perf_counter()
    with sessions.begin() as session:
        close_eon(session, rules, EON)
    closed = time.perf_counter()
    summary = build_checkpoint(engine, rules, EON + 1)
    built = time.perf_counter()
    with sessions() as session:
        faults = verify_checkpoint(session, rules, EON + 1, sample=SAMPLED_PROOFS)
    verified = time.perf_counter()
    if faults:
        raise BenchmarkFailed("; ".join(faults))
    return CheckpointTiming(
        wallets, active, closed - begun, built - closed, verified - built, summary
    )


def _pay_around(engine: Engine, rules: LedgerRules, first: int, active: int) -> None:
    """Let every active wallet pay the next, in a ring drawn at random."""
    chosen = random.Random(active).sample(range(active * 10), active)
    purses = {index: Purse(key_of(index).address, first + index) for index in chosen}
    requests = [
        _payer(index, first).pay(purses[chosen[(place + 1) % active]], AMOUNT, place)
        for place, index in enumerate(chosen)
    ]
    connection = engine.raw_connection()
    memory = BatchMemory()
    try:
        for start in range(0, len(requests), BATCH):
            _append(connection.driver_connection, rules, requests[start : start + BATCH], memory)
    finally:
        connection.close()


def _append(
    connection: object, rules: LedgerRules, requests: list[TransferRequest], memory: BatchMemory
) -> None:
    for verdict in append_transfers(connection, rules, requests, memory):
        if not isinstance(verdict, TransferAccepted):
            raise BenchmarkFailed(f"a payment was refused: {verdict}")


def _payer(index: int, first: int) -> Payer:
    return Payer(
        key_of(index), first + index, contract=CONTRACT, token=CONTRACT, eon=EON, funds=FUNDS
    )


def _end_eon(session: Session, rules: LedgerRules) -> None:
    head = rules.clock.first_block(EON + 1) + rules.checkpoint_threshold_blocks
    session.execute(
        text(
            "UPDATE chain_view SET latest_block = :head, confirmed_block = :confirmed, "
            "current_eon = :eon"
        ),
        {"head": head, "confirmed": head - rules.confirmations, "eon": EON + 1},
    )
