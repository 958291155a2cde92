"""Proofs drawn out of a stored checkpoint, as wallets would show them to the contract."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.proofs import AllotmentProof, allotment_proofs
from ledger.rules import LedgerRules
from protocol.address import Address
from protocol.trees.balance import leaf_digest

_ROOT: Final = text("SELECT merkle_root FROM root_commitment WHERE eon = :eon")
_TOKENS: Final = text("""
SELECT c.token_id, t.address, m.wallet_count
FROM token_commitment c JOIN token t ON t.id = c.token_id
JOIN eon_membership m ON m.eon = c.eon - 1 AND m.token_id = c.token_id
WHERE c.eon = :eon ORDER BY t.trail
""")
_WALLETS: Final = text("""
SELECT id, address FROM wallet WHERE token_id = :token AND trail_identifier = ANY(:trails)
""")


@dataclass(frozen=True, slots=True)
class DrawnProof:
    """A wallet's proof, None if none can be cut out of the stored levels."""

    wallet_id: int
    wallet: Address
    proof: AllotmentProof | None


@dataclass(frozen=True, slots=True)
class CommittedLeaf:
    """A leaf with its proof; `place` is its token's among the tokens, `root` the checkpoint's."""

    wallet_id: int
    leaf: bytes
    place: int
    root: bytes
    proof: AllotmentProof


def draw_proofs(
    session: Session, eon: int, token_id: int, count: int, sample: int
) -> list[DrawnProof]:
    """Draw `sample` of a token's `count` wallets, the first and the last of them too.

    The same for the same eon, so that what was found is found again.
    """
    drawn = random.Random(eon).sample(range(count), min(sample, count))
    trails = sorted({*drawn, *range(min(count, 1)), *range(count - 1, count)})
    wallets = session.execute(_WALLETS, {"token": token_id, "trails": trails}).all()
    proofs = allotment_proofs(session, [wallet.id for wallet in wallets], eon)
    return [DrawnProof(one.id, bytes(one.address), proofs.get(one.id)) for one in wallets]


def draw_leaves(session: Session, rules: LedgerRules, eon: int, sample: int) -> list[CommittedLeaf]:
    """Draw `sample` leaves of each token out of the checkpoint of `eon`, with their proofs."""
    root = bytes(session.execute(_ROOT, {"eon": eon}).scalar_one())
    return [
        CommittedLeaf(
            one.wallet_id,
            leaf_digest(
                one.proof.inner(rules.contract, bytes(token.address), one.wallet),
                one.proof.left,
                one.proof.right,
            ),
            place,
            root,
            one.proof,
        )
        for place, token in enumerate(session.execute(_TOKENS, {"eon": eon}).all())
        for one in draw_proofs(session, eon, token.token_id, token.wallet_count, sample)
        if one.proof is not None
    ]
