"""Building a checkpoint from a closed eon, and storing it at once or not at all."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final

from sqlalchemy import Connection, Engine, text

from crash_points import committed
from ledger.checkpoint.leaves import TokenTurn
from ledger.checkpoint.storing import store_checkpoint
from ledger.checkpoint.summary import CheckpointSummary, find_summary
from ledger.checkpoint.tokens import check_out_token
from ledger.refusals import LedgerInvariant
from ledger.rules import LedgerRules
from ledger.set_joins import set_joins
from protocol.trees.tokens import token_leaf

LOCK_CLASS: Final = 0x524F4F54
"""Keeps the lock of those who build a checkpoint apart from others: the letters ROOT."""

BUILDING_LOCK: Final = text("SELECT pg_advisory_xact_lock(:lock_class, CAST(:eon AS int))")

_CLOSED: Final = text("SELECT closed_at IS NOT NULL FROM eon WHERE number = :eon")
_TOKENS: Final = text("""
SELECT t.id, t.address, t.short_name, t.trail, m.wallet_count
FROM eon_membership m JOIN token t ON t.id = m.token_id WHERE m.eon = :eon ORDER BY t.trail
""")


class EonNotClosed(LedgerInvariant):
    """A checkpoint was asked for while the eon before it may still change."""


class TrailGap(LedgerInvariant):
    """The tokens of a checkpoint do not have the trails 0, 1, 2 and so on."""


def build_checkpoint(engine: Engine, rules: LedgerRules, eon: int) -> CheckpointSummary:
    """Build and store the checkpoint of `eon` from the closed eon before it.

    A checkpoint that is stored already is returned as it is: a root is never built twice. Nothing
    is announced. The accounts of `eon` are held for an instant at the end, when they receive their
    allotments. Raises `EonNotClosed`.
    """
    with ExitStack() as stack:
        writer = stack.enter_context(engine.begin())
        # Without a time limit: whoever builds it first may need minutes for a large token.
        writer.execute(text("SET LOCAL lock_timeout = 0"))
        writer.execute(text("SET LOCAL statement_timeout = 0"))
        writer.execute(BUILDING_LOCK, {"lock_class": LOCK_CLASS, "eon": eon})
        stored = find_summary(writer, eon)
        if stored is not None:
            return stored
        reader = stack.enter_context(engine.connect())
        reader = reader.execution_options(isolation_level="REPEATABLE READ")
        reader.execute(text("SET LOCAL statement_timeout = 0"))
        with set_joins(reader):
            turns = _turns(reader, rules, eon - 1)
            tokens = [check_out_token(reader, rules, turn) for turn in turns]
        leaves = [token_leaf(token.tree.root, token.tree.upper_bound) for token in tokens]
        store_checkpoint(writer, rules, eon, tokens, leaves)
        summary = find_summary(writer, eon)
    committed()
    if summary is None:
        raise LedgerInvariant(f"the checkpoint of eon {eon} vanished while it was stored")
    return summary


def _turns(reader: Connection, rules: LedgerRules, eon: int) -> list[TokenTurn]:
    """List the tokens of the checkpoint after the closed `eon`, in trail order."""
    if not reader.execute(_CLOSED, {"eon": eon}).scalar():
        raise EonNotClosed(f"eon {eon} is not closed")
    rows = reader.execute(_TOKENS, {"eon": eon}).all()
    if [row.trail for row in rows] != list(range(len(rows))):
        raise TrailGap(f"the tokens of eon {eon} leave a trail out")
    return [
        TokenTurn(
            token_id=row.id,
            address=bytes(row.address),
            short_name=row.short_name,
            eon=eon,
            count=row.wallet_count,
            contract=rules.contract,
        )
        for row in rows
    ]
