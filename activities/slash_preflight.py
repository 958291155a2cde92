"""Would a slash do what the ledger decided, and nothing else? Asked before it is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.context import Context
from chain.calls import Call, slash_withdrawal
from chain.state import HolderState
from duties.eons import Readiness
from ledger.clock import is_closed
from ledger.slashing import Marker, choose_marker
from models import Slash, Token, Wallet, WithdrawalRequest
from protocol.address import Address
from protocol.clock import EonClock

SLASH: Final = "slash"
CRITICAL_SLASH: Final = "critical_slash"
SLASH_DUTIES: Final = frozenset((SLASH, CRITICAL_SLASH))

Requests: TypeAlias = "Counter[tuple[int, int]]"
"""Requests by eon and amount; the contract knows no other name of theirs."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A stored decision: whose requests it is about, and which of them are not dropped yet."""

    slash_id: int
    wallet_id: int
    token: Address
    holder: Address
    name: str
    queued: Requests


@dataclass(frozen=True, slots=True)
class SlashCheck:
    """What sending a slash now would do.

    `ready` with its `call`; `done` when the contract lists the requests no more; `wait`;
    `halted`; `blocked` when it can never be carried out. `is_void`: one that was sent already must
    not be mined either. `must_land`: a checkpoint waits for it.
    """

    readiness: Readiness
    reason: str = ""
    is_void: bool = False
    call: Call | None = None
    must_land: bool = False
    deadline_block: int | None = None


def read_decision(session: Session, slash_id: int) -> Decision:
    """Read a decision with the requests that it still has to have dropped."""
    row = session.execute(
        select(Wallet.id, Wallet.address, Token.address.label("token"), Token.short_name)
        .join(Slash, Slash.wallet_id == Wallet.id)
        .join(Token, Token.id == Wallet.token_id)
        .where(Slash.id == slash_id)
    ).one()
    requests = session.execute(
        select(WithdrawalRequest.eon, WithdrawalRequest.amount).where(
            WithdrawalRequest.slash_id == slash_id, WithdrawalRequest.status == "slash_queued"
        )
    )
    queued: Requests = Counter((eon, int(amount)) for eon, amount in requests)
    return Decision(slash_id, row.id, bytes(row.token), bytes(row.address), row.short_name, queued)


def check_slash(context: Context, slash_id: int) -> SlashCheck:
    """Hold a decision against what the contract lists at the head, and simulate it."""
    gateway = context.gateway
    with context.sessions() as session:
        decision = read_decision(session, slash_id)
    if not decision.queued:
        return SlashCheck(Readiness.DONE, "nothing is left to be dropped", is_void=True)
    if gateway.is_halted():
        return SlashCheck(Readiness.HALTED, "the commit-chain is halted", is_void=True)
    state = gateway.holder(decision.token, decision.holder)
    listed: Requests = Counter((one.eon, one.amount) for one in state.pending)
    left = decision.queued & listed
    if not left:
        gone = "the contract lists the requests no more"
        return SlashCheck(Readiness.DONE, gone, is_void=True)
    clock, eon = gateway.clock(), gateway.clock().eon_of(state.head.number + 1)
    if clock.eon_of(state.head.number) != eon:
        return SlashCheck(Readiness.WAIT, "the eon is about to turn")
    dropped_eons = gateway.parameters().edition.slashed_eons(
        eon, last_submission_eon=gateway.last_submission_eon()
    )
    if any(request_eon not in dropped_eons for request_eon, _ in left):
        late = "the contract drops requests of that eon no more"
        return SlashCheck(Readiness.BLOCKED, late, is_void=True)
    dropped = Counter({one: count for one, count in listed.items() if one[0] in dropped_eons})
    with context.sessions() as session:
        if any(is_closed(session, request_eon) for request_eon, _ in dropped - decision.queued):
            reason = "it would drop a request too that a checkpoint has deducted"
            return SlashCheck(Readiness.WAIT, reason, is_void=True)
        requested = sum(amount for _, amount in dropped.elements())
        edition = gateway.parameters().edition
        marker = choose_marker(session, edition, decision.wallet_id, eon=eon, requested=requested)
    if marker is None:
        return SlashCheck(Readiness.BLOCKED, "no marker proves it any more", is_void=True)
    return _simulate(context, decision, state, marker, dropped, _oldest(left), clock)


def _oldest(requests: Requests) -> int:
    return min(eon for eon, _ in requests)


def _simulate(
    context: Context,
    decision: Decision,
    state: HolderState,
    marker: Marker,
    dropped: Requests,
    oldest_eon: int,
    clock: EonClock,
) -> SlashCheck:
    """Ask the contract what it would drop: exactly these requests, or it must wait."""
    call = slash_withdrawal(
        context.gateway.contract,
        token=decision.token,
        holder=decision.holder,
        marker_eon=marker.eon,
        marker_amount=marker.amount,
        signature=marker.signature,
    )
    simulation = context.gateway.simulate(call, context.operator.address)
    if simulation.revert is not None:
        return SlashCheck(Readiness.WAIT, simulation.revert.meaning)
    would_drop = sum(simulation.returned[0])
    expected = sum(amount for _, amount in dropped.elements())
    if would_drop != expected:
        return SlashCheck(Readiness.WAIT, f"it would drop {would_drop} units, not {expected}")
    return SlashCheck(
        Readiness.READY,
        call=call,
        must_land=oldest_eon < clock.eon_of(state.head.number),
        deadline_block=clock.last_slash_block(oldest_eon),
    )
