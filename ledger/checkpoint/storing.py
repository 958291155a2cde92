"""Storing a checkpoint: allotments and tree levels by COPY, then the root and the accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from ledger.alarms import raise_alarm
from ledger.checkpoint.leaves import Leaf
from ledger.checkpoint.summary import CREATED, HELD
from ledger.checkpoint.tokens import TokenCheckpoint
from ledger.eon_lock import hold_eon
from ledger.line_stream import LineStream
from ledger.rules import LedgerRules
from protocol.trees.tokens import checkpoint_root, membership_path

_COPY_ALLOTMENTS: Final = """
COPY exclusive_balance_allotment (wallet_id, eon, left_bound, right_bound, passive_root,
    passive_amount, passive_marker, active_state_id, active_state_digest) FROM STDIN
"""
_LEVEL: Final = text("""
INSERT INTO balance_tree_level (eon, token_id, level, hashes, bounds)
VALUES (:eon, :token, :level, :hashes, :bounds)
""")
_TOKEN: Final = text("""
INSERT INTO token_commitment (eon, token_id, balance_root, upper_bound, managed_funds, leaf_count,
                              membership_hashes)
VALUES (:eon, :token, :root, :upper_bound, :funds, :leaves, :path)
""")
_ROOT: Final = text("""
INSERT INTO root_commitment (eon, merkle_root, block, status)
SELECT :eon, :root, latest_block, :status FROM chain_view
""")
_ALLOT: Final = text("""
UPDATE wallet_eon AS account SET allotment = COALESCE((
    SELECT right_bound - left_bound FROM exclusive_balance_allotment AS committed
    WHERE committed.wallet_id = account.wallet_id AND committed.eon = :eon
), 0)
WHERE account.eon = :eon
""")
# What a leaf could not deduct, because it would have become negative, is not paid unasked.
_BLOCK: Final = text("""
UPDATE withdrawal_request SET status = 'blocked'
WHERE eon = :eon - 1 AND status IN ('pending', 'confirm_queued') AND wallet_id = ANY(:wallets)
""")

_GRANT: Final = text("UPDATE unclaimed_claim SET eon = :eon WHERE id = ANY(:claims ::bigint[])")


def store_checkpoint(
    writer: Connection,
    rules: LedgerRules,
    eon: int,
    tokens: Sequence[TokenCheckpoint],
    leaves: Sequence[bytes],
) -> None:
    """Write the checkpoint of `eon` into the writer's transaction, from which it becomes true.

    `leaves` are the tokens' leaves of 32 bytes. An over-claimed checkpoint is stored as held. The
    eon is held alone only at the end: from then on every account has an allotment.
    """
    root = checkpoint_root(leaves)
    cursor: Any = writer.connection.cursor()
    for token in tokens:
        cursor.copy_expert(_COPY_ALLOTMENTS, LineStream(_lines(token, eon)))
        _store_levels(writer, eon, token)
    status = HELD if any(token.overclaim for token in tokens) else CREATED
    hold_eon(cursor, eon)
    writer.execute(_ROOT, {"eon": eon, "root": root, "status": status})
    for trail, token in enumerate(tokens):
        writer.execute(
            _TOKEN,
            {
                "eon": eon,
                "token": token.turn.token_id,
                "root": token.tree.root,
                "upper_bound": token.tree.upper_bound,
                "funds": token.managed_funds,
                "leaves": token.tree.count,
                "path": b"".join(membership_path(leaves, trail)),
            },
        )
    writer.execute(_ALLOT, {"eon": eon})
    overdrawn = [wallet for token in tokens for wallet in token.overdrawn]
    writer.execute(_BLOCK, {"eon": eon, "wallets": overdrawn})
    claims = [claim for token in tokens for claim in token.claims]
    writer.execute(_GRANT, {"eon": eon, "claims": claims})
    _raise_alarms(writer, tokens)


def _store_levels(writer: Connection, eon: int, token: TokenCheckpoint) -> None:
    edges, *levels = token.tree.levels_to_bytes()
    for height, hashes in enumerate(levels):
        writer.execute(
            _LEVEL,
            {
                "eon": eon,
                "token": token.turn.token_id,
                "level": height,
                "hashes": hashes,
                "bounds": None if height else edges,
            },
        )


def _raise_alarms(writer: Connection, tokens: Sequence[TokenCheckpoint]) -> None:
    findings = [finding for token in tokens for finding in token.findings]
    if not findings:
        return
    with Session(bind=writer, join_transaction_mode="rollback_only") as session:
        for finding in findings:
            raise_alarm(session, "critical", finding.subject, finding.object, finding.message)


def _lines(token: TokenCheckpoint, eon: int) -> Iterator[str]:
    for leaf, left in zip(token.leaves, token.lefts, strict=True):
        yield _line(leaf, left, eon)


def _line(leaf: Leaf, left: int, eon: int) -> str:
    root, digest = leaf.passive_root, leaf.state_digest
    state = "\\N" if leaf.state_id is None else leaf.state_id
    return (
        f"{leaf.wallet_id}\t{eon}\t{left}\t{left + leaf.balance}\t"
        f"{_bytes(root)}\t{leaf.passive_amount}\t{leaf.passive_marker}\t"
        f"{state}\t{_bytes(digest)}\n"
    )


def _bytes(value: bytes | None) -> str:
    return "\\N" if value is None else f"\\\\x{value.hex()}"
