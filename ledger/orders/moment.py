"""What the placement of an order reads once its accounts are locked, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.arrays import integers
from ledger.clock import INTAKE_CLOSED
from ledger.identities import WalletIdentity
from ledger.orders.requests import OrderRequest
from ledger.prepared import Prepared
from ledger.refusals import Refusal
from models import ChainView, TermsOfService

# A freeze message names pair and nonce only, so an order's nonce is never used again for its pair.
MOMENT: Final = Prepared(
    "order_moment",
    """
SELECT view.current_eon, view.latest_block, view.last_submitted_eon, view.intake, view.seen_at,
       now(), ARRAY(SELECT entry FROM intake_pause),
       EXISTS (SELECT FROM eon WHERE number = view.current_eon AND closed_at IS NOT NULL),
       EXISTS (SELECT FROM token_pair p JOIN token f ON f.id = p.token_from_id
               JOIN token t ON t.id = p.token_to_id
               WHERE f.address = %(sold)s::bytea AND t.address = %(bought)s::bytea),
       EXISTS (SELECT FROM unnest(%(eons)s::bigint[]) AS n (eon)
               JOIN LATERAL (SELECT FROM transfer t WHERE t.sender_id = %(debit)s::bigint
                             AND t.eon = n.eon AND t.nonce = %(nonce)s::numeric LIMIT 1) u ON true)
         OR EXISTS (SELECT FROM transfer t WHERE t.swap AND t.sender_id = %(debit)s::bigint
                    AND t.recipient_id = %(credit)s::bigint AND t.nonce = %(nonce)s::numeric),
       EXISTS (SELECT FROM unnest(%(eons)s::bigint[]) AS n (eon)
               JOIN LATERAL (SELECT FROM transfer t WHERE t.recipient_id = %(credit)s::bigint
                             AND t.eon = n.eon AND t.nonce = %(nonce)s::numeric LIMIT 1) u ON true),
       terms.id, terms.time, signed.terms_id,
       ARRAY(SELECT nextval('transfer_id_seq') FROM generate_series(1, %(count)s::bigint)),
       ARRAY(SELECT nextval('active_state_id_seq') FROM generate_series(1, 3 * %(count)s::bigint)),
       ARRAY(SELECT nextval('minimum_available_balance_marker_id_seq')
             FROM generate_series(1, 2 * %(count)s::bigint))
FROM chain_view AS view
LEFT JOIN LATERAL (
    SELECT id, time FROM terms_of_service ORDER BY time DESC, id DESC LIMIT 1
) AS terms ON true
LEFT JOIN LATERAL (
    SELECT s.terms_id FROM terms_of_service_signature s JOIN terms_of_service t ON t.id = s.terms_id
    WHERE s.address = %(address)s::bytea ORDER BY t.time DESC, t.id DESC LIMIT 1
) AS signed ON true
""",
)
_CURRENT_EON: Final = "SELECT current_eon FROM chain_view"


@dataclass(frozen=True, slots=True)
class Moment:
    """The ledger's clock as of the locks, what is `paused`, what is known of pair, nonce and terms.

    There is a fresh id for each eon's copy, three for its states, two for its markers, ascending.
    """

    view: ChainView
    time: datetime
    paused: Sequence[str]
    closed: bool
    pair_is_open: bool
    used_by_debit: bool
    used_by_credit: bool
    terms: TermsOfService | None
    signed_terms_id: int | None
    copy_ids: Sequence[int]
    state_ids: Sequence[int]
    marker_ids: Sequence[int]


def read_current_eon(cursor: Any) -> int:
    """Read the current eon, 0 before the chain was first seen."""
    cursor.execute(_CURRENT_EON)
    row = cursor.fetchone()
    return row[0] if row else 0


def read_moment(
    cursor: Any,
    request: OrderRequest,
    debit: WalletIdentity | None,
    credit: WalletIdentity | None,
) -> Moment:
    """Read the moment of an order, on a connection that prepared `MOMENT`.

    Refuses with `INTAKE_CLOSED` before the chain was first seen.
    """
    cursor.execute(
        MOMENT.call,
        {
            "address": request.debit_address,
            "count": len(request.debit_signatures),
            "sold": request.debit_token,
            "bought": request.credit_token,
            "eons": integers(
                range(request.eon, request.eon + max(1, len(request.debit_signatures)))
            ),
            "nonce": request.nonce,
            "debit": debit.wallet_id if debit is not None else None,
            "credit": credit.wallet_id if credit is not None else None,
        },
    )
    row = cursor.fetchone()
    if row is None:
        raise Refusal(INTAKE_CLOSED, "the chain has not been seen yet")
    eon, latest, submitted, intake, seen_at = row[:5]
    now, paused, closed, pair_is_open, used_by_debit, used_by_credit = row[5:11]
    terms_id, terms_time, signed_terms_id, copy_ids, state_ids, marker_ids = row[11:]
    view = ChainView(
        current_eon=eon,
        latest_block=latest,
        last_submitted_eon=submitted,
        intake=intake,
        seen_at=seen_at,
    )
    return Moment(
        view=view,
        time=now,
        paused=paused,
        closed=closed,
        pair_is_open=pair_is_open,
        used_by_debit=used_by_debit,
        used_by_credit=used_by_credit,
        terms=None if terms_id is None else TermsOfService(id=terms_id, time=terms_time),
        signed_terms_id=signed_terms_id,
        copy_ids=sorted(copy_ids),
        state_ids=sorted(state_ids),
        marker_ids=sorted(marker_ids),
    )
