"""What everybody needs to get their money from a halted contract without the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.proofs import AllotmentProof, allotment_proofs
from protocol.address import Address

Place: TypeAlias = tuple[int, bytes]
"""Token id and address: where a page ended."""
START: Final[Place] = (0, b"")

# Deposits and requests of addresses without a wallet are on chain too, and come back from there.
_HOLDERS: Final = text("""
SELECT h.token_id, h.address, t.address AS token, t.short_name, w.id AS wallet_id
FROM (SELECT token_id, address FROM wallet
      UNION SELECT token_id, address FROM orphan_deposit
      UNION SELECT token_id, address FROM withdrawal_request) AS h
JOIN token t ON t.id = h.token_id
LEFT JOIN wallet w ON w.token_id = h.token_id AND w.address = h.address
WHERE (h.token_id, h.address) > (:token, :address)
ORDER BY h.token_id, h.address LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Claim:
    """A holder of a token; `proof` is of the usable checkpoint, None without an allotment in it."""

    place: Place
    token: Address
    short_name: str
    holder: Address
    proof: AllotmentProof | None


def usable_eon(last_submitted_eon: int) -> int:
    """The eon whose checkpoint recovery goes by: the newest root may be the fraudulent one."""
    return max(last_submitted_eon - 1, 0)


def list_claims(session: Session, eon: int, *, after: Place, limit: int) -> Sequence[Claim]:
    """Read a page of everybody who may own something, proven in the checkpoint of `eon`."""
    arguments = {"token": after[0], "address": after[1], "limit": limit}
    rows = session.execute(_HOLDERS, arguments).all()
    wallets = [row.wallet_id for row in rows if row.wallet_id is not None]
    proofs = allotment_proofs(session, wallets, eon)
    return [
        Claim(
            place=(row.token_id, bytes(row.address)),
            token=bytes(row.token),
            short_name=row.short_name,
            holder=bytes(row.address),
            proof=proofs.get(row.wallet_id),
        )
        for row in rows
    ]
