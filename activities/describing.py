"""An intent and its attempts, as workflows hear of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chain.abi import functions
from chain.calls import Call
from duties.transactions import Ending, Progress, Stage
from models import TransactionAttempt, TransactionIntent

_ENDINGS = {"confirmed": Ending.CONFIRMED, "reverted": Ending.REVERTED, "usurped": Ending.USURPED}


def describe(
    stage: Stage,
    intent: TransactionIntent,
    attempts: Sequence[TransactionAttempt],
    *,
    block: int | None = None,
    reason: str = "",
) -> Progress:
    """Where an intent stands that has not ended."""
    newest = attempts[-1] if attempts else None
    return Progress(
        stage,
        nonce=intent.nonce,
        attempts=len(attempts),
        fee="" if newest is None else str(newest.fee_cap),
        tx_hash="" if newest is None else f"0x{newest.hash.hex()}",
        block=block,
        reason=reason,
    )


def ended(intent: TransactionIntent, attempts: Sequence[TransactionAttempt]) -> Progress:
    """How an intent ended, as it was stored when it did."""
    result: dict[str, Any] = intent.result or {}
    fallback = _ENDINGS.get(intent.state, Ending.CANCELLED)
    newest = attempts[-1] if attempts else None
    return Progress(
        Stage.ENDED,
        ending=result.get("ending", fallback.value),
        nonce=intent.nonce,
        attempts=len(attempts),
        fee="" if newest is None else str(newest.fee_cap),
        tx_hash=result.get("tx_hash", ""),
        block=result.get("block"),
        letter=result.get("letter", ""),
        reason=result.get("reason", ""),
    )


def call_of(intent: TransactionIntent) -> Call:
    """The call that an intent makes, with the function's name for naming reverts."""
    data = bytes(intent.calldata)
    name = next((name for name, one in functions().items() if one.selector == data[:4]), "")
    return Call(bytes(intent.callee), data, intent.value, name)
