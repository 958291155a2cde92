"""Withdrawal requests: from their confirmation on the wallet cannot spend what they ask for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, text

from ledger.alarms import REQUEST_WITHOUT_WALLET, raise_alarm
from ledger.confirmed.desks import notify_desk
from ledger.confirmed.events import ConfirmedEvent, Ground
from ledger.delegations import note_requested
from ledger.notifications import Fact, tell_all
from ledger.payloads import request_payload
from ledger.slashing import join_open_slashes
from models import WithdrawalRequest

_RESERVE = text("""
UPDATE wallet_eon SET withdrawn = withdrawn + asked.amount
FROM (
    SELECT wallet_id, eon, sum(amount) AS amount
    FROM unnest(:wallets ::bigint[], :eons ::bigint[], :amounts ::numeric[])
        AS named (wallet_id, eon, amount)
    GROUP BY wallet_id, eon
) AS asked
WHERE wallet_eon.wallet_id = asked.wallet_id AND wallet_eon.eon = asked.eon
""")


def apply(ground: Ground, events: Sequence[ConfirmedEvent]) -> None:
    """Store requests, take them out of the accounts, tell the wallets and their desks.

    A request of an address without a wallet is stored too, since it counts against the money that
    the contract holds, and a person is told: the ledger gave it nothing to withdraw and does not
    pay it. One that a slash under way will drop with others falls under that slash.
    """
    statement = insert(WithdrawalRequest).returning(WithdrawalRequest, sort_by_parameter_order=True)
    rows = list(ground.session.scalars(statement, [_row(ground, event) for event in events]))
    known = [(row, ground.wallet(event)) for event, row in zip(events, rows, strict=True)]
    owned = [(row, wallet) for row, wallet in known if wallet is not None]
    join_open_slashes(ground.session, ground.rules, rows)
    note_requested(ground.session, [row.id for row in rows])
    if owned:
        ground.session.execute(
            _RESERVE,
            {
                "wallets": [wallet.id for _, wallet in owned],
                "eons": [row.eon for row, _ in owned],
                "amounts": [row.amount for row, _ in owned],
            },
        )
    tell_all(
        ground.session,
        [
            Fact("REQUESTED_WITHDRAWAL", (wallet.stream,), request_payload(row))
            for row, wallet in owned
        ],
    )
    for event, (row, wallet) in zip(events, known, strict=True):
        if wallet is None:
            last = ground.rules.clock.last_slash_block(row.eon)
            raise_alarm(
                ground.session,
                "critical",
                REQUEST_WITHOUT_WALLET,
                ground.label(event),
                f"{row.amount} units requested in block {row.block}; what was requested in its eon"
                f" can be cancelled until block {last}",
            )
        else:
            notify_desk(ground, event, "withdrawal-requested")


def _row(ground: Ground, event: ConfirmedEvent) -> dict[str, object]:
    token_id, address = ground.key(event)
    wallet = ground.wallet(event)
    return {
        "event_id": event.id,
        "token_id": token_id,
        "address": address,
        "wallet_id": None if wallet is None else wallet.id,
        "amount": event.number("amount"),
        "eon": event.eon,
        "block": event.block,
        "transaction_hash": event.transaction_hash,
        "status": "blocked" if wallet is None and event.number("amount") else "pending",
    }
