"""Which of a wallet's signed markers proves to the contract that it asks for too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import MinimumAvailableBalanceMarker
from protocol.editions import ContractEdition

OLDEST_MARKER_EONS: Final = 2
"""No edition takes a marker that is older."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A wallet's word, signed with r, s, v, that it keeps no more than `amount` in `eon`."""

    eon: int
    amount: int
    signature: bytes


def choose_marker(
    session: Session, edition: ContractEdition, wallet_id: int, *, eon: int, requested: int
) -> Marker | None:
    """Choose the newest marker that a slash mined in `eon` of `requested` units is proven by.

    The contract demands that the requests exceed the marker. The newest stays valid the longest;
    the smallest might be refused before the transaction is mined. None if no marker will do.
    """
    row = session.scalars(
        select(MinimumAvailableBalanceMarker)
        .where(
            MinimumAvailableBalanceMarker.wallet_id == wallet_id,
            MinimumAvailableBalanceMarker.eon.between(eon - OLDEST_MARKER_EONS, eon),
            MinimumAvailableBalanceMarker.amount < requested,
        )
        .order_by(MinimumAvailableBalanceMarker.eon.desc(), MinimumAvailableBalanceMarker.id.desc())
        .limit(1)
    ).first()
    if row is None or not edition.accepts_marker(row.eon, eon=eon):
        return None
    return Marker(row.eon, row.amount, bytes(row.signature))
