"""Waking the withdrawal desk of a token and wallet; it reads the ledger itself."""

from __future__ import annotations

from ledger.confirmed.events import ConfirmedEvent, Ground
from ledger.duty_notices import notice


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
