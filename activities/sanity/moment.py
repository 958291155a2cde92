"""Comparing what the contract says with what the ledger holds of the very same block."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy.orm import Session

from activities.context import Context
from chain.blocks import BlockHeader
from ledger.blocks import newest_block

Reading = TypeVar("Reading")
Verdict = TypeVar("Verdict")
ATTEMPTS: Final = 20


def compare(
    context: Context,
    read: Callable[[], tuple[BlockHeader, Reading]],
    judge: Callable[[Session, Reading], Verdict],
) -> Verdict | None:
    """Judge a reading by a snapshot of the ledger at the reading's block.

    The follower is a little behind the head: both are read again until they meet. None if they
    do not, because blocks come too fast or nobody follows them.
    """
    for _ in range(ATTEMPTS):
        head, reading = read()
        with context.sessions() as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            newest = newest_block(session)
            if newest is not None and newest.block_hash == head.block_hash:
                return judge(session, reading)
        time.sleep(context.pace.poll_s)
    return None
