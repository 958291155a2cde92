"""Wallets whose requests ask for more than they have free, found by one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from protocol.address import Address, checksum_address

# What a slash on its way will give back is counted as given back, so that nothing is decided
# twice. Before the eon's checkpoint exists the eon before counts too, and until it is closed what
# its open order reserves; afterwards its requests are no longer the wallet's balance.
_OVERDRAWS: Final = """
WITH asking AS (
    SELECT wallet_id,
           sum(CASE WHEN status = 'slash_queued' AND (eon = :eon OR NOT :committed)
               THEN amount ELSE 0 END) AS given_back,
           sum(CASE WHEN status IN ('pending', 'confirm_queued') THEN amount ELSE 0 END) AS asked
    FROM withdrawal_request
    WHERE status NOT IN ('slashed', 'paid') AND eon >= :eon - 1 AND wallet_id IS NOT NULL
      AND wallet_id > :after {wallets}
    GROUP BY wallet_id
)
SELECT * FROM (
    SELECT w.id, w.address, t.id AS token_id, t.address AS token, t.short_name, asking.asked,
           greatest(COALESCE(now.reserved, 0),
                    CASE WHEN :last_is_open THEN COALESCE(last.reserved, 0) ELSE 0 END)
           - asking.given_back
           - COALESCE(now.allotment,
                      CASE WHEN :committed THEN leaf.right_bound - leaf.left_bound END, 0)
           - COALESCE(now.deposited + now.receipt_total + now.gained - now.spent - now.withdrawn, 0)
           - CASE WHEN :committed THEN 0 ELSE
                 COALESCE(last.allotment, last_leaf.right_bound - last_leaf.left_bound, 0)
                 + COALESCE(last.deposited + last.receipt_total + last.gained
                            - last.spent - last.withdrawn, 0)
             END AS missing
    FROM asking
    JOIN wallet w ON w.id = asking.wallet_id
    JOIN token t ON t.id = w.token_id
    LEFT JOIN wallet_eon now ON now.wallet_id = w.id AND now.eon = :eon
    LEFT JOIN wallet_eon last ON last.wallet_id = w.id AND last.eon = :eon - 1
    LEFT JOIN exclusive_balance_allotment leaf ON leaf.wallet_id = w.id AND leaf.eon = :eon
    LEFT JOIN exclusive_balance_allotment last_leaf
           ON last_leaf.wallet_id = w.id AND last_leaf.eon = :eon - 1
    WHERE asking.asked > 0
) AS judged
WHERE missing > 0 ORDER BY id LIMIT :limit
"""
_ALL: Final = text(_OVERDRAWS.format(wallets=""))
_SOME: Final = text(_OVERDRAWS.format(wallets="AND wallet_id = ANY(:wallets ::bigint[])"))
_MOMENT: Final = text("""
SELECT EXISTS (SELECT FROM root_commitment WHERE eon = :eon) AS committed,
       NOT EXISTS (
           SELECT FROM eon WHERE number = :eon - 1 AND closed_at IS NOT NULL
       ) AS last_is_open
""")


@dataclass(frozen=True, slots=True)
class Overdraw:
    """A wallet that asks for `missing` base units more than it has free.

    `asked` is the sum of its requests of the current eon and the one before that nothing has been
    decided on.
    """

    wallet_id: int
    address: Address
    token_id: int
    token: Address
    short_name: str
    asked: int
    missing: int

    @property
    def name(self) -> str:
        """The wallet as a person reads it."""
        return f"{self.short_name} {checksum_address(self.address)}"


def find_overdraws(
    session: Session,
    eon: int,
    *,
    limit: int,
    after: int = 0,
    wallets: Sequence[int] | None = None,
) -> list[Overdraw]:
    """Find wallets with too large requests of the current `eon` or the one before, by wallet id.

    What an open order reserves is not free. At most `limit`, with ids above `after`; `wallets`
    restricts the search to their ids.
    """
    moment = session.execute(_MOMENT, {"eon": eon}).one()
    arguments: dict[str, Any] = {"eon": eon, "limit": limit, "after": after} | dict(moment._mapping)
    if wallets is None:
        rows = session.execute(_ALL, arguments)
    else:
        rows = session.execute(_SOME, arguments | {"wallets": list(wallets)})
    return [
        Overdraw(
            wallet_id=row.id,
            address=bytes(row.address),
            token_id=row.token_id,
            token=bytes(row.token),
            short_name=row.short_name,
            asked=int(row.asked),
            missing=int(row.missing),
        )
        for row in rows
    ]
