"""Reading a stored checkpoint back and proving every allotment in it, before it is announced.

Proofs are cut out of stored levels: if every leaf is hashed from its allotment and every level
from the one below it, up to the root that is submitted, then every proof holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from ledger.refusals import LedgerInvariant
from ledger.rules import LedgerRules
from protocol.encoding import ZERO_HASH
from protocol.trees.balance import BalanceTree, inner_digest, leaf_digest
from protocol.trees.tokens import checkpoint_root, token_leaf

_TOKENS: Final = text("""
SELECT t.id, t.address, t.short_name, c.balance_root, c.upper_bound, c.leaf_count
FROM token_commitment c JOIN token t ON t.id = c.token_id WHERE c.eon = :eon ORDER BY t.trail
""")
_LEVELS: Final = text("""
SELECT hashes, bounds FROM balance_tree_level
WHERE eon = :eon AND token_id = :token ORDER BY level
""")
_ALLOTMENTS: Final = text("""
SELECT w.trail_identifier, w.address, a.left_bound, a.right_bound, a.passive_root,
       a.passive_amount, a.passive_marker, a.active_state_digest
FROM exclusive_balance_allotment a JOIN wallet w ON w.id = a.wallet_id
WHERE a.eon = :eon AND w.token_id = :token ORDER BY w.trail_identifier
""").execution_options(yield_per=1_000)
_ROOT: Final = text("SELECT merkle_root FROM root_commitment WHERE eon = :eon")
WORD: Final = 32


class CheckpointInconsistent(LedgerInvariant):
    """A stored checkpoint does not prove what it should; it must not be announced."""


def verify_checkpoint(engine: Engine, rules: LedgerRules, eon: int) -> int:
    """Prove every stored allotment of `eon` against its root; returns how many there are.

    Raises `CheckpointInconsistent`, naming the first token that fails.
    """
    with engine.connect() as connection:
        tokens = connection.execute(_TOKENS, {"eon": eon}).all()
        leaves = [token_leaf(bytes(row.balance_root), row.upper_bound) for row in tokens]
        root = connection.execute(_ROOT, {"eon": eon}).scalar()
        if root is None or bytes(root) != checkpoint_root(leaves):
            raise CheckpointInconsistent(f"the tokens of eon {eon} do not hash to its root")
        return sum(_verify_token(connection, rules, eon, row) for row in tokens)


def _verify_token(connection: Connection, rules: LedgerRules, eon: int, token: Any) -> int:
    names = {"eon": eon, "token": token.id}
    stored = connection.execute(_LEVELS, names).all()
    levels = [bytes(row.hashes) for row in stored]
    tree = BalanceTree.build(levels[0], bytes(stored[0].bounds)) if stored else None
    if tree is None or tree.levels_to_bytes()[1:] != levels:
        raise CheckpointInconsistent(f"{token.short_name}: a level is not hashed from its leaves")
    if (tree.root, tree.upper_bound) != (bytes(token.balance_root), token.upper_bound):
        raise CheckpointInconsistent(f"{token.short_name}: the tree is not the committed one")
    count = 0
    for trail, left, right, leaf in _hashed(connection, rules, bytes(token.address), names):
        at_trail = levels[0][trail * WORD : (trail + 1) * WORD]
        if tree.interval(trail) != (left, right) or at_trail != leaf:
            raise CheckpointInconsistent(f"{token.short_name}: the leaf of trail {trail} differs")
        count += 1
    # A leaf beyond the last wallet holds what nobody claims.
    if token.leaf_count - count not in (0, 1):
        raise CheckpointInconsistent(f"{token.short_name}: {count} allotments for its leaves")
    return count


def _hashed(
    connection: Connection, rules: LedgerRules, token: bytes, names: dict[str, Any]
) -> Iterator[tuple[int, int, int, bytes]]:
    """Trail, interval and leaf digest of each allotment."""
    for row in connection.execute(_ALLOTMENTS, names):
        inner = inner_digest(
            contract=rules.contract,
            token=token,
            wallet=bytes(row.address),
            active_digest=_digest(row.active_state_digest),
            passive_root=_digest(row.passive_root),
            passive_amount=int(row.passive_amount),
            passive_marker=int(row.passive_marker),
        )
        left, right = int(row.left_bound), int(row.right_bound)
        yield row.trail_identifier, left, right, leaf_digest(inner, left, right)


def _digest(value: bytes | memoryview | None) -> bytes:
    return ZERO_HASH if value is None else bytes(value)
