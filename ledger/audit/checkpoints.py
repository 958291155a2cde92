"""Audit of a checkpoint: its trees hashed again from allotments, its proofs, its money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.audit.faults import CheckpointInconsistent, Faults
from ledger.audit.samples import draw_proofs
from ledger.orders.retirement import ADJUSTMENTS
from ledger.proofs import AllotmentProof
from ledger.rules import LedgerRules
from ledger.set_joins import set_joins
from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.trees.balance import (
    BalanceLeaves,
    BalanceTree,
    InvalidLevels,
    verify_balance_proof,
)
from protocol.trees.plain import verify_path
from protocol.trees.tokens import checkpoint_root, token_leaf

FETCH_ROWS: Final = 5_000
SHOWN: Final = 5

_ROOT: Final = text("SELECT merkle_root, status FROM root_commitment WHERE eon = :eon")
_TOKENS: Final = text("""
SELECT c.token_id, t.address, t.short_name, c.balance_root, c.upper_bound, c.managed_funds,
       c.leaf_count, m.wallet_count
FROM token_commitment c JOIN token t ON t.id = c.token_id
JOIN eon_membership m ON m.eon = c.eon - 1 AND m.token_id = c.token_id
WHERE c.eon = :eon ORDER BY t.trail
""")
_ALLOTMENTS: Final = text("""
SELECT w.address, w.trail_identifier, a.left_bound, a.right_bound, a.active_state_digest,
       a.passive_root, a.passive_amount, a.passive_marker
FROM exclusive_balance_allotment a JOIN wallet w ON w.id = a.wallet_id
WHERE a.eon = :eon AND w.token_id = :token ORDER BY w.trail_identifier
""")
_LEVELS: Final = text("""
SELECT bounds, hashes FROM balance_tree_level
WHERE eon = :eon AND token_id = :token ORDER BY level
""")
# What the wallets had at the end of the eon before, requests whose slash is on its way included.
_CARRIED: Final = text(f"""
SELECT COALESCE(sum(greatest(0,
    COALESCE(a.allotment, p.right_bound - p.left_bound, 0)
    + COALESCE(a.deposited + a.receipt_total + a.gained - a.spent - a.withdrawn, 0)
    + COALESCE(f.amount, 0) + COALESCE(o.amount, 0)
)), 0)
FROM wallet w
LEFT JOIN wallet_eon a ON a.wallet_id = w.id AND a.eon = :eon
LEFT JOIN exclusive_balance_allotment p ON p.wallet_id = w.id AND p.eon = :eon
LEFT JOIN (
    SELECT wallet_id, sum(amount) AS amount FROM withdrawal_request
    WHERE eon = :eon AND token_id = :token AND status = 'slash_queued' GROUP BY wallet_id
) f ON f.wallet_id = w.id
LEFT JOIN ({ADJUSTMENTS}) o ON o.wallet_id = w.id
WHERE w.token_id = :token AND w.trail_identifier < :count
""")
# What a person had moved from the money without an owner to the operator's leaf.
_GRANTED: Final = text("""
SELECT COALESCE(sum(amount), 0) FROM unclaimed_claim WHERE eon = :eon AND token_id = :token
""")


def verify_checkpoint(
    session: Session, rules: LedgerRules, eon: int, *, sample: int = 50
) -> Faults:
    """Hash the checkpoint of `eon` again and hold its money against the eon before.

    `sample` proofs of each token, cut out of the stored levels, are verified up to the root, those
    of the first and the last wallet among them.
    """
    faults = Faults()
    for token, total, root in _verify_trees(session, rules, eon, faults):
        name = f"checkpoint {eon} {token.short_name}"
        with set_joins(session):
            _verify_money(session, eon, token, total, name, faults)
        _verify_proofs(session, rules, eon, token, root, sample, faults)
    return faults


def require_provable(session: Session, rules: LedgerRules, eon: int) -> None:
    """Hash the checkpoint of `eon` again from its allotments, before it is announced.

    Proofs are cut out of stored levels: if every level is hashed from the allotments up to the
    root that is submitted, then every proof holds. Raises `CheckpointInconsistent`.
    """
    faults = Faults()
    list(_verify_trees(session, rules, eon, faults))
    if faults:
        raise CheckpointInconsistent("; ".join(faults[:SHOWN]))


def _verify_trees(
    session: Session, rules: LedgerRules, eon: int, faults: Faults
) -> Iterator[tuple[Any, int, bytes]]:
    """Compare the stored trees with the allotments: each token, what its wallets own, the root."""
    stored = session.execute(_ROOT, {"eon": eon}).one_or_none()
    if stored is None:
        faults.note(f"eon {eon} has no checkpoint")
        return
    tokens = session.execute(_TOKENS, {"eon": eon}).all()
    leaves = [token_leaf(bytes(token.balance_root), token.upper_bound) for token in tokens]
    root = bytes(stored.merkle_root)
    faults.expect(checkpoint_root(leaves) == root, f"checkpoint {eon}: the root differs")
    for token in tokens:
        name = f"checkpoint {eon} {token.short_name}"
        with set_joins(session):
            total = _verify_tree(session, rules, eon, token, name, faults)
        yield token, total, root


def _verify_tree(
    session: Session, rules: LedgerRules, eon: int, token: Any, name: str, faults: Faults
) -> int:
    """Compare the stored tree with one made from the allotments; return what wallets own of it."""
    hashed = BalanceLeaves(contract=rules.contract, token=bytes(token.address))
    rows = session.execute(
        _ALLOTMENTS,
        {"eon": eon, "token": token.token_id},
        execution_options={"yield_per": FETCH_ROWS},
    )
    for row in rows:
        faults.expect(row.trail_identifier == len(hashed), f"{name}: a trail is left out")
        interval = hashed.add(
            bytes(row.address),
            row.right_bound - row.left_bound,
            active_digest=bytes(row.active_state_digest or ZERO_HASH),
            passive_root=bytes(row.passive_root or ZERO_HASH),
            passive_amount=row.passive_amount,
            passive_marker=row.passive_marker,
        )
        tiles = interval == (row.left_bound, row.right_bound)
        faults.expect(tiles, f"{name}: trail {row.trail_identifier} leaves a gap or overlaps")
    total, members = hashed.upper_bound, len(hashed)
    faults.expect(members == token.wallet_count, f"{name}: a wallet of its eon is missing")
    if total < token.upper_bound:
        hashed.add(rules.operator.address, token.upper_bound - total)
    tree = hashed.tree()
    faults.expect(tree.root == bytes(token.balance_root), f"{name}: the balance root differs")
    faults.expect(tree.count == token.leaf_count, f"{name}: the number of leaves differs")
    levels = session.execute(_LEVELS, {"eon": eon, "token": token.token_id}).all()
    stored = [bytes(levels[0].bounds or b""), *(bytes(row.hashes) for row in levels)]
    try:
        same = BalanceTree.levels_from_bytes(stored).levels_to_bytes() == tree.levels_to_bytes()
    except InvalidLevels:
        same = False
    faults.expect(same, f"{name}: the stored levels differ")
    return total


def _verify_money(
    session: Session, eon: int, token: Any, total: int, name: str, faults: Faults
) -> None:
    arguments = {"eon": eon - 1, "token": token.token_id, "count": token.wallet_count}
    carried = session.execute(_CARRIED, arguments).scalar_one()
    carried += session.execute(_GRANTED, {"eon": eon, "token": token.token_id}).scalar_one()
    # Less, and then by an alarm, only where the operator's own leaf paid for an over-claim.
    charged = total < carried and token.upper_bound == token.managed_funds
    faults.expect(
        total == carried or charged, f"{name}: allots {total} of {carried} that the wallets had"
    )
    bound = token.upper_bound == max(total, token.managed_funds)
    faults.expect(bound, f"{name}: the upper bound is not all the money")


def _verify_proofs(
    session: Session,
    rules: LedgerRules,
    eon: int,
    token: Any,
    root: bytes,
    sample: int,
    faults: Faults,
) -> None:
    for one in draw_proofs(session, eon, token.token_id, token.wallet_count, sample):
        valid = one.proof is not None and verify_allotment(
            one.proof, rules.contract, bytes(token.address), one.wallet, root
        )
        faults.expect(valid, f"checkpoint {eon} wallet {one.wallet_id}: its proof does not verify")


def verify_allotment(
    proof: AllotmentProof, contract: Address, token: Address, wallet: Address, root: bytes
) -> bool:
    """Tell whether a proof leads from the wallet's leaf to the checkpoint's root."""
    inner = proof.inner(contract, token, wallet)
    in_token = verify_balance_proof(
        inner,
        proof.left,
        proof.right,
        proof.trail,
        proof.hashes,
        proof.values,
        root=proof.balance_root,
        upper_bound=proof.upper_bound,
    )
    leaf = token_leaf(proof.balance_root, proof.upper_bound)
    # The token's trail is not part of the proof: any place under the root will do here.
    places = range(1 << len(proof.membership_hashes))
    return in_token and any(verify_path(leaf, i, proof.membership_hashes, root) for i in places)
