"""What must be true after a play, whatever happened to the operator."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select

from chain.events import CheckpointSubmission
from commands.audit import find_faults
from models import TransactionAttempt, TransactionIntent
from models.engine import open_engine, open_sessions
from simulation.play.evidence import gather_evidence
from simulation.play.verdict import Verdict, judge
from tests.faults.theatre import Theatre


async def verdict_of(theatre: Theatre, eons: int) -> Verdict:
    """The play's verdict with the ledger's audit and the search for doubled transactions in it."""
    audit = await asyncio.to_thread(find_faults, theatre.settings, theatre.database_url)
    audit += await asyncio.to_thread(lambda: list(_doubled(theatre)))
    return await judge(theatre.stage, eons=eons, audit=audit)


def _doubled(theatre: Theatre) -> Iterator[str]:
    """Whatever was done twice on chain: a nonce of ours for two purposes, a purpose twice."""
    stage = theatre.stage
    engine = open_engine(theatre.database_url, application_name="test")
    with open_sessions(engine)() as session:
        rows = session.execute(
            select(TransactionAttempt.hash, TransactionAttempt.outcome, TransactionIntent.key).join(
                TransactionIntent, TransactionIntent.id == TransactionAttempt.intent_id
            )
        ).all()
    engine.dispose()
    purposes = {bytes(row.hash): row.key for row in rows if row.outcome is None}
    done: Counter[str] = Counter()
    for block in range(stage.clock.genesis_block, stage.node.block() + 1):
        whole = (hex(block), True)
        for sent in stage.node.ask("eth_getBlockByNumber", *whole)["transactions"]:
            purpose = purposes.get(bytes.fromhex(sent["hash"][2:]))
            receipt = stage.node.ask("eth_getTransactionReceipt", sent["hash"])
            if purpose is not None and receipt["status"] == "0x1":
                done[purpose.rpartition("-r")[0] or purpose] += 1
    yield from (f"{purpose} was done {times} times" for purpose, times in done.items() if times > 1)
    roots = Counter(
        event.eon for event in gather_evidence(stage.gateway, stage.node).of(CheckpointSubmission)
    )
    yield from (f"eon {eon} has {times} roots" for eon, times in roots.items() if times > 1)
