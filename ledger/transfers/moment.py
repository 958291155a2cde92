"""What a batch reads once its accounts are locked: the clock, the terms, nonces and quotas."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from ledger import arrays
from ledger.prepared import Prepared
from models import ChainView
from protocol.address import Address

NonceKey: TypeAlias = tuple[int, int, int]
"""Wallet id, eon and nonce."""

_MOMENT: Final = Prepared(
    "read_moment",
    """
SELECT view.current_eon, view.latest_block, view.last_submitted_eon, view.intake, view.seen_at,
       now(), ARRAY(SELECT entry FROM intake_pause),
       EXISTS (SELECT FROM eon WHERE number = view.current_eon AND closed_at IS NOT NULL),
       terms.id, terms.time,
       ARRAY(SELECT nextval('minimum_available_balance_marker_id_seq')
             FROM generate_series(1, %(count)s::bigint)),
       ARRAY(SELECT nextval('active_state_id_seq') FROM generate_series(1, %(count)s::bigint)),
       ARRAY(SELECT nextval('transfer_id_seq') FROM generate_series(1, %(count)s::bigint))
FROM chain_view AS view
LEFT JOIN LATERAL (
    SELECT id, time FROM terms_of_service ORDER BY time DESC, id DESC LIMIT 1
) AS terms ON true
""",
)
_USED_NONCES: Final = """
SELECT named.ordinal FROM unnest(%(wallets)s::bigint[], %(eons)s::bigint[], %(nonces)s::numeric[])
     WITH ORDINALITY AS named (wallet_id, eon, nonce, ordinal)
CROSS JOIN LATERAL (
    SELECT FROM transfer AS t
    WHERE t.{side} = named.wallet_id AND t.eon = named.eon AND t.nonce = named.nonce LIMIT 1
) AS used
"""
_SENDER: Final = Prepared("used_by_senders", _USED_NONCES.format(side="sender_id"))
_RECIPIENT: Final = Prepared("used_by_recipients", _USED_NONCES.format(side="recipient_id"))
STATEMENTS: Final = (_MOMENT, _SENDER, _RECIPIENT)
_SIGNED_TERMS: Final = """
SELECT address, max(terms_id) FILTER (WHERE terms_id = %s) FROM terms_of_service_signature
WHERE address = ANY(%s::bytea[]) GROUP BY address
"""
_AGREEMENTS: Final = """
SELECT DISTINCT address FROM service_level_agreement
WHERE address = ANY(%s::bytea[]) AND expiry >= now()
"""
_PRESENT: Final = "SELECT count(*) FROM transfer WHERE tx_id = ANY(%s::uuid[]) AND eon = %s"


@dataclass(frozen=True, slots=True)
class Moment:
    """The ledger's clock as of the locks, what is `paused`, and fresh row ids, ascending."""

    view: ChainView
    time: datetime
    paused: Sequence[str]
    closed: bool
    terms_id: int | None
    terms_time: datetime | None
    marker_ids: Sequence[int]
    state_ids: Sequence[int]
    transfer_ids: Sequence[int]


def read_moment(cursor: Any, count: int) -> Moment | None:
    """Read the clock and take `count` ids of each table; None before the chain was first seen."""
    cursor.execute(_MOMENT.call, {"count": count})
    row = cursor.fetchone()
    if row is None:
        return None
    eon, latest, submitted, intake, seen_at, *rest = row
    view = ChainView(
        current_eon=eon,
        latest_block=latest,
        last_submitted_eon=submitted,
        intake=intake,
        seen_at=seen_at,
    )
    return Moment(view, *rest)


def used_nonces(
    cursor: Any, senders: Sequence[NonceKey], recipients: Sequence[NonceKey]
) -> tuple[set[NonceKey], set[NonceKey]]:
    """Find the nonces that committed transfers have used: on the sender's side, the recipient's."""
    return _used(cursor, _SENDER, senders), _used(cursor, _RECIPIENT, recipients)


def _used(cursor: Any, query: Prepared, keys: Sequence[NonceKey]) -> set[NonceKey]:
    if not keys:
        return set()
    wallets, eons, nonces = zip(*keys, strict=True)
    arguments = {
        "wallets": arrays.integers(wallets),
        "eons": arrays.integers(eons),
        "nonces": arrays.integers(nonces),
    }
    cursor.execute(query.call, arguments)
    return {keys[ordinal - 1] for (ordinal,) in cursor}


def signed_terms(
    cursor: Any, terms_id: int, addresses: Collection[Address]
) -> tuple[set[Address], set[Address]]:
    """Tell who signed the latest terms, and who signed any terms at all."""
    cursor.execute(_SIGNED_TERMS, (terms_id, arrays.byte_strings(addresses)))
    rows = [(bytes(address), latest) for address, latest in cursor]
    return {address for address, latest in rows if latest}, {address for address, _ in rows}


def holders_of_agreements(cursor: Any, addresses: Collection[Address]) -> set[Address]:
    """Tell which addresses have a service level agreement that is valid now."""
    if not addresses:
        return set()
    cursor.execute(_AGREEMENTS, (arrays.byte_strings(addresses),))
    return {bytes(address) for (address,) in cursor}


def count_present(cursor: Any, tx_ids: Collection[str], eon: int) -> int:
    """Count which of these transfers are committed."""
    cursor.execute(_PRESENT, (list(tx_ids), eon))
    count: int = cursor.fetchone()[0]
    return count
