"""Group commit: answers follow commits, a lost connection loses and doubles nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg2
import pytest
from sqlalchemy import func, select, text

from ledger.group_commit import GroupCommit
from ledger.refusals import Refusal
from ledger.transfers import Batch, BatchMemory, TransferAccepted
from models import Transfer
from protocol.encoding import OutOfRange
from tests.ledger.paying import Bank
from tests.ledger.world import World

HOLD_EON_1 = f"SELECT pg_advisory_xact_lock({0x454F4E}, 1)"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def bank(ledger: World) -> Iterator[Bank]:
    bank = Bank(ledger)
    for name in ("a", "b", "c", "r"):
        ledger.admit(name)
        ledger.deposit(name, 100)
    yield bank
    assert bank.faults() == []


def stored(bank: Bank) -> int:
    with bank.world.begin() as session:
        return session.scalar(select(func.count()).select_from(Transfer)) or 0


async def test_transfers_that_arrive_together_share_a_transaction(bank: Bank) -> None:
    group = GroupCommit(bank.world.engine, bank.world.rules, workers=1)
    requests = [bank.request(name, "r", 1, nonce) for nonce, name in enumerate("abc")]
    group.start()
    with bank.connection() as blocker:
        blocker.cursor().execute(HOLD_EON_1)
        # The thread waits with the first; what comes meanwhile is the next batch.
        futures = [group.submit(request) for request in requests]
        blocker.rollback()
    answers = await asyncio.gather(*futures)
    await group.stop()
    assert [answer.position for answer in answers] == [0, 1, 2]
    with bank.world.begin() as session:
        # Rows of one transaction carry the same time.
        times = session.scalars(select(Transfer.time).distinct()).all()
    assert len(times) <= 2


async def test_a_refusal_is_raised_to_its_own_caller_only(bank: Bank) -> None:
    group = GroupCommit(bank.world.engine, bank.world.rules)
    group.start()
    good = group.submit(bank.request("a", "r", 1, 1))
    bad = group.submit(bank.request("b", "r", 101, 2))
    assert (await good).amount == 1
    with pytest.raises(Refusal) as caught:
        await bad
    assert caught.value.code == "DEBIT_WALLET_OVERSPENDING"
    await group.stop()


async def test_a_request_that_breaks_the_code_fails_alone(bank: Bank) -> None:
    group = GroupCommit(bank.world.engine, bank.world.rules, workers=1)
    good = bank.request("a", "r", 1, 1)
    impossible = replace(bank.request("b", "r", 1, 2), amount=-1)
    group.start()
    futures = [group.submit(request) for request in (good, impossible)]
    first, second = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(first, TransferAccepted)
    assert isinstance(second, OutOfRange)
    again = await group.submit(bank.request("c", "r", 1, 3))
    assert again.position == 1
    await group.stop()


async def test_a_full_queue_and_a_stopped_group_refuse_at_once(bank: Bank) -> None:
    group = GroupCommit(bank.world.engine, bank.world.rules, workers=1, queue_limit=1)
    with pytest.raises(Refusal, match="INTAKE_CLOSED"):
        group.submit(bank.request("a", "r", 1, 1))
    with bank.connection() as blocker:
        blocker.cursor().execute(HOLD_EON_1)
        group.start()
        first = group.submit(bank.request("a", "r", 1, 1))
        await asyncio.to_thread(wait_until_taken, group)
        second = group.submit(bank.request("b", "r", 1, 2))
        with pytest.raises(Refusal, match="INTAKE_CLOSED"):
            group.submit(bank.request("c", "r", 1, 3))
        blocker.rollback()
    assert (await first).position == 0
    assert (await second).position == 1
    await group.stop()
    with pytest.raises(Refusal, match="INTAKE_CLOSED"):
        group.submit(bank.request("c", "r", 1, 3))


def wait_until_taken(group: GroupCommit) -> None:
    while group.waiting:
        threading.Event().wait(0.01)


async def test_connections_killed_under_load_lose_and_double_nothing(bank: Bank) -> None:
    group = GroupCommit(bank.world.engine, bank.world.rules, workers=2, batch_limit=4)
    group.start()
    stop = threading.Event()
    killer = threading.Thread(target=kill_connections, args=(bank, stop))
    killer.start()
    accepted = 0

    async def keep_paying(name: str, nonce: int) -> None:
        nonlocal accepted
        for number in range(25):
            answer = await group.submit(bank.request(name, "r", 1, nonce + number))
            assert isinstance(answer, TransferAccepted)
            bank.remember(name, answer)
            accepted += 1

    try:
        await asyncio.gather(*(keep_paying(n, i * 1000) for i, n in enumerate("abc")))
    finally:
        stop.set()
        killer.join()
        await group.stop()
    assert accepted == 75
    assert stored(bank) == 75
    assert bank.balances("r").loosely_available == 175


def kill_connections(bank: Bank, stop: threading.Event) -> None:
    """End the hot path's sessions again and again, wherever in a batch they are."""
    query = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE '%unnest%' "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
        "AND (query LIKE 'BEGIN%' OR query LIKE '%minimum_available_balance_marker%')"
    )
    while not stop.wait(0.05):
        with bank.world.begin() as session:
            session.execute(query)


class Interrupted:
    """A connection whose commit reaches the database and whose answer does not come back."""

    def __init__(self, connection: object) -> None:
        self._connection = connection
        self.closed = 0

    def __hash__(self) -> int:
        return hash(self._connection)

    def __eq__(self, other: object) -> bool:
        return other is self or other is self._connection

    def cursor(self) -> Interrupted:
        self._cursor = self._connection.cursor()  # type: ignore[attr-defined]
        return self

    def __enter__(self) -> Interrupted:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def __iter__(self) -> Iterator[object]:
        return iter(self._cursor)

    def __getattr__(self, name: str) -> object:
        return getattr(self._cursor, name)

    def execute(self, query: str, arguments: object = None) -> None:
        self._cursor.execute(query, arguments)
        if query.endswith("COMMIT") and "append_transfers" in query:
            self.closed = 1
            raise psycopg2.OperationalError("the server went away")


def test_a_commit_whose_answer_was_lost_is_found_again_and_not_repeated(bank: Bank) -> None:
    requests = [bank.request("a", "r", 1, 1), bank.request("b", "r", 1000, 2)]
    batch = Batch(bank.world.rules, requests, BatchMemory())
    with bank.connection() as connection:
        connection.autocommit = True
        bank.append(bank.request("c", "r", 1, 9))
        doomed = Interrupted(connection)
        with pytest.raises(psycopg2.OperationalError):
            batch.run(doomed)
        first, second = batch.run(connection)
        connection.autocommit = False
    assert isinstance(first, TransferAccepted)
    assert isinstance(second, Refusal)
    assert second.code == "DEBIT_WALLET_OVERSPENDING"
    assert stored(bank) == 2
