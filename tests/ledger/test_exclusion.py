"""The turn of the eon under load: every transfer in one eon, no money made, none lost."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select

from ledger.refusals import Refusal
from ledger.transfers import BatchMemory, TransferAccepted, append_transfers
from models import Eon, ExclusiveBalanceAllotment, RootCommitment, Transfer
from tests.ledger.paying import Bank
from tests.ledger.world import World

pytestmark = pytest.mark.timeout(240)

WALLETS = 20
THREADS = 4
FUNDS = 1_000
EXPECTED = {"EON_NUMBER_OUT_OF_SYNC"}


@dataclass
class Load:
    """Wallets that keep paying each other, one after the other within each thread."""

    bank: Bank
    stop: threading.Event = field(default_factory=threading.Event)
    accepted: list[TransferAccepted] = field(default_factory=list)
    unexpected: list[Refusal] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, names: list[str], others: list[str], memory: BatchMemory) -> None:
        nonce = hash(names[0]) % 10**6 * 10**6
        with self.bank.connection() as connection:
            while not self.stop.is_set():
                for place, name in enumerate(names):
                    nonce += 1
                    # A thread pays only its own recipients, so it knows what positions they gave.
                    request = self.bank.request(name, others[place], 1, nonce)
                    rules = self.bank.world.rules
                    [verdict] = append_transfers(connection, rules, [request], memory)
                    self.note(name, verdict)

    def note(self, name: str, verdict: TransferAccepted | Refusal) -> None:
        if isinstance(verdict, TransferAccepted):
            self.bank.remember(name, verdict)
        with self.lock:
            if isinstance(verdict, TransferAccepted):
                self.accepted.append(verdict)
            elif verdict.code not in EXPECTED:
                self.unexpected.append(verdict)


def test_the_turn_of_the_eon_under_load_loses_doubles_and_forks_nothing(ledger: World) -> None:
    bank = Bank(ledger)
    names = [f"w{number}" for number in range(WALLETS)]
    for name in names:
        ledger.admit(name)
        ledger.deposit(name, FUNDS)
    load = Load(bank)
    memory = BatchMemory()
    parts = [names[index::THREADS] for index in range(THREADS)]
    threads = [
        threading.Thread(target=load.run, args=(part, part[1:] + part[:1], memory))
        for part in parts
    ]
    for thread in threads:
        thread.start()
    try:
        for eon in (2, 3):
            wait_for(load, len(load.accepted) + 40)
            ledger.move_to_eon(eon)
            wait_for(load, len(load.accepted) + 40)
            bank.checkpoint(eon)
        wait_for(load, len(load.accepted) + 40)
    finally:
        load.stop.set()
        for thread in threads:
            thread.join()
    assert load.unexpected == []
    assert bank.faults() == []
    with ledger.begin() as session:
        assert session.scalar(select(func.count()).select_from(Transfer)) == len(load.accepted)
        for eon in (2, 3):
            closed = session.scalar(select(Eon.closed_at).where(Eon.number == eon - 1))
            late = select(func.count()).where(Transfer.eon == eon - 1, Transfer.time > closed)
            assert session.scalar(late) == 0
            built = session.scalar(select(RootCommitment.time).where(RootCommitment.eon == eon))
            before = select(func.count()).where(Transfer.eon == eon, Transfer.time < built)
            assert (session.scalar(before) or 0) > 0
            total = select(
                func.sum(
                    ExclusiveBalanceAllotment.right_bound - ExclusiveBalanceAllotment.left_bound
                )
            ).where(ExclusiveBalanceAllotment.eon == eon)
            assert session.scalar(total) == WALLETS * FUNDS


def wait_for(load: Load, count: int) -> None:
    """Wait until `count` transfers are accepted in all."""
    for _ in range(2_000):
        if len(load.accepted) >= count or load.unexpected:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"only {len(load.accepted)} of {count} transfers were accepted")
