"""Telling the ledger of slashes that the published contract keeps silent about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from activities.context import Context
from chain.blocks import BlockHeader
from chain.events import ChainEvent, WithdrawalRequest, WithdrawalSlashed
from chain.silent_slashes import SlashCall, find_slash_calls

AFTER_ALL_LOGS: Final = 1_000_000_000
"""What is inferred stands behind the logs of its block, in the order of the transactions."""

# A slash drops all that was requested in two eons since the last one.
_REQUESTED: Final = text("""
SELECT eon, sum((arguments->>'amount')::numeric) FROM chain_event
WHERE name = 'WithdrawalRequest' AND NOT orphaned AND eon IN (:eon - 1, :eon)
  AND arguments->>'token' = :token AND arguments->>'requestor' = :requestor
  AND (block, log_index) > (
      SELECT COALESCE(max(block), -1), COALESCE(max(log_index), -1) FROM (
          SELECT block, log_index FROM chain_event
          WHERE name = 'WithdrawalSlashed' AND NOT orphaned
            AND arguments->>'token' = :token AND arguments->>'requestor' = :requestor
          ORDER BY block DESC, log_index DESC LIMIT 1
      ) AS last_slash
  )
GROUP BY eon
""")


def with_silent_slashes(
    context: Context, headers: Sequence[BlockHeader], events: Iterable[ChainEvent]
) -> list[ChainEvent]:
    """The events of newly read blocks, those added that the contract should have emitted.

    Each says what our own contract would say. How much was dropped is reckoned from the requests
    on the same branch. Where that is wrong the accumulator differs, which is an alarm.
    """
    known = list(events)
    if context.gateway.parameters().edition.tells_of_slashes or not headers:
        return known
    calls = find_slash_calls(context.gateway.node, context.gateway.contract, headers)
    if not calls:
        return known
    with context.sessions() as session:
        for call in calls:
            known.append(_infer(context, session, call, known))
    return sorted(known, key=lambda event: (event.block_number, event.log_index))


def _infer(
    context: Context, session: Session, call: SlashCall, known: Sequence[ChainEvent]
) -> WithdrawalSlashed:
    clock = context.gateway.clock()
    eon = clock.eon_of(call.block_number)
    log_index = AFTER_ALL_LOGS + call.tx_index
    fresh = [one for one in known if _is_before(one, call, log_index)]
    slashes = [one for one in fresh if isinstance(one, WithdrawalSlashed)]
    since = max(((one.block_number, one.log_index) for one in slashes), default=None)
    sums = {} if since is not None else _stored(session, call, eon)
    for one in fresh:
        is_later = since is None or (one.block_number, one.log_index) > since
        if isinstance(one, WithdrawalRequest) and is_later:
            requested = clock.eon_of(one.block_number)
            sums[requested] = sums.get(requested, 0) + one.amount
    return WithdrawalSlashed(
        block_number=call.block_number,
        block_hash=call.block_hash,
        tx_hash=call.tx_hash,
        log_index=log_index,
        token=call.token,
        requestor=call.requestor,
        eon=eon,
        previous_eon_amount=sums.get(eon - 1, 0),
        current_eon_amount=sums.get(eon, 0),
    )


def _is_before(event: Any, call: SlashCall, log_index: int) -> bool:
    return (
        isinstance(event, (WithdrawalRequest, WithdrawalSlashed))
        and (event.token, event.requestor) == (call.token, call.requestor)
        and (event.block_number, event.log_index) < (call.block_number, log_index)
    )


def _stored(session: Session, call: SlashCall, eon: int) -> dict[int, int]:
    arguments = {"eon": eon, "token": call.token.hex(), "requestor": call.requestor.hex()}
    return {found: int(amount) for found, amount in session.execute(_REQUESTED, arguments)}
