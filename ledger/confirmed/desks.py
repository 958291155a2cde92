"""Waking the withdrawal desk of a token and wallet; it reads the ledger itself."""

from __future__ import annotations

from sqlalchemy import String, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.confirmed.events import ConfirmedEvent, Ground
from ledger.duty_notices import notice
from models import DutyNotice, Token, WithdrawalRequest
from protocol.clock import EonClock


def notify_desk(ground: Ground, event: ConfirmedEvent, kind: str) -> None:
    """Record that a wallet's requests changed, under a key that the event makes unique."""
    token = ground.token(event)
    notice(
        ground.session,
        f"{kind}-{event.id}",
        kind,
        {
            "token": token.address.hex(),
            "address": event.participant.hex(),
            "short_name": token.short_name,
        },
    )


def notify_payable_desks(
    session: Session, clock: EonClock, first_block: int, last_block: int
) -> None:
    """Wake every desk whose requests became payable in these blocks, by one statement an eon.

    The desks wait by an estimate of time; blocks are what the contract goes by.
    """
    first_eon = clock.eon_of(max(first_block, clock.genesis_block)) - 2
    for eon in range(max(1, first_eon), clock.eon_of(last_block) - 1):
        if first_block <= clock.first_payable_block(eon) <= last_block:
            _notify_desks_of(session, eon)


def _notify_desks_of(session: Session, eon: int) -> None:
    token, address = (
        func.encode(Token.address, "hex"),
        func.encode(WithdrawalRequest.address, "hex"),
    )
    desks = (
        select(
            (literal(f"withdrawal-payable-{eon}-") + token + "-" + address).label("key"),
            cast(literal("withdrawal-payable"), String).label("kind"),
            func.jsonb_build_object(
                "token", token, "address", address, "short_name", Token.short_name
            ).label("arguments"),
        )
        .select_from(WithdrawalRequest)
        .join(Token, Token.id == WithdrawalRequest.token_id)
        .where(WithdrawalRequest.eon == eon, WithdrawalRequest.status == "pending")
        .distinct()
    )
    session.execute(
        insert(DutyNotice)
        .from_select(["key", "kind", "arguments"], desks)
        .on_conflict_do_nothing(index_elements=["key"])
    )
