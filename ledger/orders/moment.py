"""What the placement of an order reads once its accounts are locked, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.clock import INTAKE_CLOSED
from ledger.identities import WalletIdentity
from ledger.orders.requests import OrderRequest
from ledger.refusals import Refusal
from models import ChainView

# A freeze message names pair and nonce only, so an order's nonce is never used again for its pair.
_MOMENT: Final = """
SELECT view.current_eon, view.latest_block, view.last_submitted_eon, view.intake, view.seen_at,
       now(),
       EXISTS (SELECT FROM eon WHERE number = view.current_eon AND closed_at IS NOT NULL),
       EXISTS (SELECT FROM token_pair p JOIN token f ON f.id = p.token_from_id
               JOIN token t ON t.id = p.token_to_id
               WHERE f.address = %(sold)s AND t.address = %(bought)s),
       EXISTS (SELECT FROM unnest(%(eons)s::bigint[]) AS n (eon)
               JOIN LATERAL (SELECT FROM transfer t WHERE t.sender_id = %(debit)s
                             AND t.eon = n.eon AND t.nonce = %(nonce)s LIMIT 1) u ON true)
         OR EXISTS (SELECT FROM transfer t WHERE t.swap AND t.sender_id = %(debit)s
                    AND t.recipient_id = %(credit)s AND t.nonce = %(nonce)s),
       EXISTS (SELECT FROM unnest(%(eons)s::bigint[]) AS n (eon)
               JOIN LATERAL (SELECT FROM transfer t WHERE t.recipient_id = %(credit)s
                             AND t.eon = n.eon AND t.nonce = %(nonce)s LIMIT 1) u ON true)
FROM chain_view AS view
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """The ledger's clock as of the locks, and what is known of the pair and the nonce."""

    view: ChainView
    time: datetime
    closed: bool
    pair_is_open: bool
    used_by_debit: bool
    used_by_credit: bool


def read_moment(
    cursor: Any,
    request: OrderRequest,
    debit: WalletIdentity | None,
    credit: WalletIdentity | None,
) -> Moment:
    """Read the clock, the pair and the nonce in all eons of the order. Refuses `INTAKE_CLOSED`."""
    cursor.execute(
        _MOMENT,
        {
            "sold": request.debit_token,
            "bought": request.credit_token,
            "eons": list(range(request.eon, request.eon + max(1, len(request.debit_signatures)))),
            "nonce": request.nonce,
            "debit": debit.wallet_id if debit is not None else None,
            "credit": credit.wallet_id if credit is not None else None,
        },
    )
    row = cursor.fetchone()
    if row is None:
        raise Refusal(INTAKE_CLOSED, "the chain has not been seen yet")
    eon, latest, submitted, intake, seen_at, *rest = row
    view = ChainView(
        current_eon=eon,
        latest_block=latest,
        last_submitted_eon=submitted,
        intake=intake,
        seen_at=seen_at,
    )
    return Moment(view, *rest)
