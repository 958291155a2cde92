"""A person's decision that the node's branch counts: the ledger follows it, or nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.accounts import lock_accounts
from ledger.audit.accounts import verify_accounts
from ledger.blocks import confirm_blocks, newest_block
from ledger.chain_events import apply_confirmed_events
from ledger.clock import cursor_of, is_closed, keep_open
from ledger.refusals import LedgerInvariant
from ledger.reversal.effects import UNDO, EffectUnknown, TokenInUse, tell_desk
from ledger.reversal.twins import Twins
from ledger.rules import LedgerRules
from ledger.set_joins import set_joins
from ledger.split import Split, close_split, read_split
from models import ChainEvent, ContractState, Deposit, WithdrawalRequest

MOST_EVENTS: Final = 10_000
"""More orphaned events at once are a matter for more than a command."""

_SHOWN: Final = 10
_BINDING: Final = ("Deposit", "WithdrawalRequest", "WithdrawalSlashed")
"""What a closed eon has counted, and its checkpoint with it."""
_OF_DESKS: Final = ("WithdrawalRequest", "WithdrawalConfirmation", "WithdrawalSlashed")


class CannotReverse(LedgerInvariant):
    """The decision cannot be carried out; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The node's branch counts from `block` on, the last that both share.

    `keeps_committed`: what entered a closed eon stays although the chain has lost it; whoever
    decides so answers for the difference.
    """

    block: int
    keeps_committed: bool = False


@dataclass(frozen=True, slots=True)
class Reversed:
    """How many events were found in other blocks, and undone; what stays without being on chain."""

    moved: int
    undone: int
    kept: tuple[str, ...] = ()


def resynchronise(session: Session, rules: LedgerRules, decision: Decision) -> Reversed:
    """End a split in favour of the node's branch; the accounts are audited before it counts.

    Raises `CannotReverse` without a split, for another block than the one at which the branches
    part, while the new branch is not as deep as the old one was, when an event has entered a closed
    eon (unless such are kept), and when somebody has spent what would be taken back.
    """
    split = read_split(session, lock=True)
    if split is None:
        raise CannotReverse("the chain has not parted from what was confirmed")
    if decision.block != split.block:
        raise CannotReverse(f"the branches part after block {split.block}, not {decision.block}")
    confirmed = _depth_of_new_branch(session, rules, split)
    orphans = _orphaned(session)
    _hold(session, orphans)
    result = _take_back(session, orphans, confirmed, decision)
    close_split(session)
    confirm_blocks(session, confirmed)
    while apply_confirmed_events(session, rules, confirmed).more:
        pass
    with set_joins(session):
        faults = list(verify_accounts(session))
    if faults:
        raise CannotReverse(f"the accounts would not add up: {'; '.join(faults[:_SHOWN])}")
    return result


def _depth_of_new_branch(session: Session, rules: LedgerRules, split: Split) -> int:
    """The newest confirmed block of the new branch."""
    old: int | None = session.scalar(
        select(ContractState.block).where(ContractState.block_hash == split.old_hash)
    )
    newest = newest_block(session)
    confirmed = (newest.number if newest else 0) - rules.confirmations
    if old is None or confirmed < old:
        raise CannotReverse(f"the new branch is confirmed to block {confirmed}, not yet to {old}")
    return confirmed


def _orphaned(session: Session) -> Sequence[ChainEvent]:
    orphans = session.scalars(
        select(ChainEvent)
        .where(ChainEvent.applied, ChainEvent.orphaned)
        .order_by(ChainEvent.block.desc(), ChainEvent.log_index.desc())
        .limit(MOST_EVENTS + 1)
    ).all()
    if len(orphans) > MOST_EVENTS:
        raise CannotReverse(f"more than {MOST_EVENTS} events were orphaned")
    return orphans


def _hold(session: Session, orphans: Sequence[ChainEvent]) -> None:
    """Keep every eon concerned as it is, then its accounts, in the ledger's order."""
    ids = [event.id for event in orphans]
    touched: dict[int, set[int]] = {}
    asked = select(WithdrawalRequest.eon, WithdrawalRequest.wallet_id)
    queries = [
        select(Deposit.eon, Deposit.wallet_id).where(Deposit.event_id.in_(ids)),
        asked.where(WithdrawalRequest.event_id.in_(ids)),
        *(
            asked.where(
                WithdrawalRequest.address == bytes.fromhex(event.arguments["requestor"]),
                WithdrawalRequest.eon.in_((event.eon - 1, event.eon)),
            )
            for event in orphans
            if event.name == "WithdrawalSlashed"
        ),
    ]
    for query in queries:
        for eon, wallet_id in session.execute(query):
            if wallet_id is not None:
                touched.setdefault(eon, set()).add(wallet_id)
    for eon in sorted(touched):
        keep_open(session, eon)
    for eon in sorted(touched, reverse=True):
        lock_accounts(cursor_of(session), touched[eon], eon)


def _take_back(
    session: Session, orphans: Sequence[ChainEvent], confirmed: int, decision: Decision
) -> Reversed:
    twins = Twins(session, orphans, confirmed)
    moved, undone = 0, 0
    kept: list[str] = []
    for event in orphans:
        if twins.take_over(event):
            moved += 1
        elif _has_entered_a_checkpoint(session, event):
            # It keeps its rows; no later decision is to be about it again.
            kept.append(_shown(event))
            event.applied = False
        else:
            _undo(session, event)
            undone += 1
    if kept and not decision.keeps_committed:
        raise CannotReverse(f"in closed eons: {'; '.join(kept[:_SHOWN])}")
    session.flush()
    return Reversed(moved, undone, tuple(kept))


def _undo(session: Session, event: ChainEvent) -> None:
    try:
        undo = UNDO.get(event.name)
        if undo is not None:
            undo(session, event)
    except (TokenInUse, EffectUnknown) as reason:
        raise CannotReverse(str(reason)) from None
    if event.name in _OF_DESKS:
        tell_desk(session, event)
    event.applied = False


def _has_entered_a_checkpoint(session: Session, event: ChainEvent) -> bool:
    if event.name not in _BINDING:
        return False
    credited = session.scalar(select(func.max(Deposit.eon)).where(Deposit.event_id == event.id))
    eons = {event.eon if credited is None else credited}
    if event.name == "WithdrawalSlashed" and int(event.arguments["previous_eon_amount"]):
        eons.add(event.eon - 1)
    return any(is_closed(session, eon) for eon in eons)


def _shown(event: ChainEvent) -> str:
    amounts = {name: value for name, value in event.arguments.items() if "amount" in name}
    who = event.arguments.get("recipient") or event.arguments.get("requestor", "")
    told = ", ".join(f"{name} {value}" for name, value in amounts.items())
    return f"{event.name} of block {event.block} for 0x{who}: {told}"
