"""What ends a withdrawal request: the contract paid it, or a slash dropped it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import insert, select, text, tuple_

from ledger.alarms import SLASHED_LATE, WITHDRAWALS_DIFFER, raise_alarm
from ledger.confirmed.desks import notify_desk
from ledger.confirmed.events import ConfirmedEvent, Ground, WalletKey
from ledger.notifications import Fact, tell_all
from ledger.payloads import withdrawal_payload
from ledger.slashing import end_slashes
from models import RootCommitment, Withdrawal, WithdrawalRequest

ENDED: Final = ("slashed", "paid")
PAYABLE_AFTER_EONS: Final = 2

_RELEASE = text("""
UPDATE wallet_eon SET withdrawn = withdrawn - :amount WHERE wallet_id = :wallet AND eon = :eon
""")
# While money was missing for it, an order rested and met nobody: it has its turn once more.
_TAKE_AGAIN = text("""
UPDATE transfer SET awaits_match = true
WHERE swap AND appended AND sender_id = ANY(:wallets ::bigint[])
  AND eon = (SELECT current_eon FROM chain_view)
  AND NOT (awaits_match OR processed OR complete OR cancelled OR voided)
""")


def apply_confirmations(ground: Ground, events: Sequence[ConfirmedEvent]) -> None:
    """Settle requests that the contract paid, oldest first; their amounts must add up.

    If they do not, the ledger and the contract disagree about what is owed: the wallet's open
    requests are frozen (`blocked`) and a person is called. A payment of zero does nothing.
    """
    open_requests = _open_requests(ground, events)
    for event in events:
        paid = event.number("amount")
        if paid == 0:
            continue
        candidates = open_requests[ground.key(event)]
        notify_desk(ground, event, "withdrawal-settled")
        settled = _covered(candidates, paid, event.eon - PAYABLE_AFTER_EONS)
        if settled is None:
            _freeze(ground, event, candidates)
            continue
        _settle(ground, event, settled)
        for request in settled:
            candidates.remove(request)


def apply_slashes(ground: Ground, events: Sequence[ConfirmedEvent]) -> None:
    """Drop the requests that a slash cancelled and give the wallets their money back.

    A checkpoint has left out of its leaves what was being slashed when its eon closed. A request
    that it did deduct and that is gone now is money without an owner: a person is called.
    """
    open_requests = _open_requests(ground, events)
    for event in events:
        candidates = open_requests[ground.key(event)]
        notify_desk(ground, event, "withdrawal-settled")
        for eon, name in (
            (event.eon - 1, "previous_eon_amount"),
            (event.eon, "current_eon_amount"),
        ):
            dropped = event.number(name)
            if dropped == 0:
                continue
            requests = [request for request in candidates if request.eon == eon]
            if sum(request.amount for request in requests) != dropped:
                _freeze(ground, event, candidates)
                continue
            _drop(ground, event, eon, requests)
            for request in requests:
                candidates.remove(request)
    wallets = [wallet.id for event in events if (wallet := ground.wallet(event)) is not None]
    end_slashes(ground.session, wallets)
    ground.session.execute(_TAKE_AGAIN, {"wallets": wallets})


def _open_requests(
    ground: Ground, events: Sequence[ConfirmedEvent]
) -> dict[WalletKey, list[WithdrawalRequest]]:
    """Load the open requests of the wallets concerned, oldest first."""
    found: dict[WalletKey, list[WithdrawalRequest]] = defaultdict(list)
    rows = ground.session.scalars(
        select(WithdrawalRequest)
        .where(
            tuple_(WithdrawalRequest.token_id, WithdrawalRequest.address).in_(
                {ground.key(event) for event in events}
            ),
            WithdrawalRequest.status.not_in(ENDED),
        )
        .order_by(WithdrawalRequest.eon, WithdrawalRequest.block, WithdrawalRequest.id)
    )
    for row in rows:
        found[row.token_id, bytes(row.address)].append(row)
    return found


def _covered(
    candidates: Iterable[WithdrawalRequest], paid: int, newest_eon: int
) -> list[WithdrawalRequest] | None:
    """The oldest requests that make up exactly `paid`, None if no such run does."""
    covered, total = [], 0
    for request in candidates:
        if request.eon > newest_eon or total + request.amount > paid:
            break
        covered.append(request)
        total += request.amount
    return covered if total == paid else None


def _settle(ground: Ground, event: ConfirmedEvent, requests: Sequence[WithdrawalRequest]) -> None:
    session, wallet = ground.session, ground.wallet(event)
    rows = [
        {
            "event_id": event.id,
            "request_id": request.id,
            "wallet_id": request.wallet_id,
            "amount": request.amount,
            "eon": event.eon,
            "block": event.block,
            "transaction_hash": event.transaction_hash,
        }
        for request in requests
    ]
    statement = insert(Withdrawal).returning(Withdrawal, sort_by_parameter_order=True)
    withdrawals = list(session.scalars(statement, rows))
    for request in requests:
        request.status = "paid"
    session.flush()
    if wallet is not None:
        tell_all(
            session,
            [
                Fact("CONFIRMED_WITHDRAWAL", (wallet.stream,), withdrawal_payload(one, request))
                for one, request in zip(withdrawals, requests, strict=True)
            ],
        )


def _drop(
    ground: Ground, event: ConfirmedEvent, eon: int, requests: Sequence[WithdrawalRequest]
) -> None:
    deducted = select(RootCommitment.id).where(RootCommitment.eon == eon + 1)
    is_committed = ground.session.scalar(deducted) is not None
    for request in requests:
        if is_committed and request.status != "slash_queued":
            raise_alarm(
                ground.session,
                "critical",
                SLASHED_LATE,
                f"{ground.label(event)} request {request.id}",
                f"{request.amount} units of eon {eon} belong to nobody",
            )
        request.status = "slashed"
        if request.wallet_id is not None:
            ground.session.execute(
                _RELEASE, {"amount": request.amount, "wallet": request.wallet_id, "eon": eon}
            )
    ground.session.flush()


def _freeze(ground: Ground, event: ConfirmedEvent, requests: Sequence[WithdrawalRequest]) -> None:
    for request in requests:
        request.status = "blocked"
    ground.session.flush()
    raise_alarm(
        ground.session,
        "critical",
        WITHDRAWALS_DIFFER,
        ground.label(event),
        f"{event.name} in block {event.block} does not match the open requests",
    )
