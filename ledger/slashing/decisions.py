"""Deciding to slash: once for each wallet at a time, when the calendar lets the contract do it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ledger.accounts import lock_accounts
from ledger.clock import cursor_of, find_view, is_closed
from ledger.duty_notices import notice
from ledger.rules import LedgerRules
from ledger.slashing.markers import choose_marker
from ledger.slashing.overdraws import Overdraw, find_overdraws
from ledger.slashing.unbacked import report_unbacked
from models import RootCommitment, Slash, TransactionIntent, WithdrawalRequest
from protocol.slashing import SlashMoment, slashable_eons

BATCH: Final = 500
"""Wallets that are locked and judged at once."""

UNDECIDED: Final = ("pending", "confirm_queued")
NOTICE: Final = "slash-decided"


class Verdict(Enum):
    """What became of an overdraw now."""

    DECIDED = "decided"
    WAITS = "waits for its time"
    UNPROVEN = "no marker proves it"


def decide_slashes(session: Session, rules: LedgerRules) -> int:
    """Decide on every wallet whose requests exceed what it has free; returns how many decisions.

    The requests stay taken from the account, so that the wallet cannot spend what the slash gives
    back; only the leaf of the next checkpoint leaves them out. What the calendar forbids now is
    decided by a later call; what no marker proves calls a person. Call it when requests were
    confirmed, when an eon begins, when a root has become final, and before an eon is closed.
    """
    view = find_view(session)
    if view is None or view.current_eon < 1 or view.intake == "halted":
        return 0
    eon = view.current_eon
    moment = SlashMoment(
        eon=eon,
        last_is_closed=is_closed(session, eon - 1),
        root_is_final=_is_committed(session, eon),
    )
    _raise_class(session, eon)
    unproven: list[Overdraw] = []
    decided = 0
    for one in _overdraws(session, eon):
        verdict = _decide(session, rules, moment, one)
        decided += verdict is Verdict.DECIDED
        if verdict is Verdict.UNPROVEN:
            unproven.append(one)
    report_unbacked(session, rules.clock, eon, unproven)
    return decided


def _overdraws(session: Session, eon: int) -> Iterator[Overdraw]:
    """Yield every overdraw with its accounts locked: what holds then stays so."""
    after = 0
    while found := find_overdraws(session, eon, limit=BATCH, after=after):
        after = found[-1].wallet_id
        wallets = [one.wallet_id for one in found]
        lock_accounts(cursor_of(session), wallets, eon)
        yield from find_overdraws(session, eon, limit=BATCH, wallets=wallets)


def _is_committed(session: Session, eon: int) -> bool:
    status = session.scalar(select(RootCommitment.status).where(RootCommitment.eon == eon))
    return status == "committed"


def _decide(
    session: Session, rules: LedgerRules, moment: SlashMoment, overdraw: Overdraw
) -> Verdict:
    """Store one decision with its requests and tell the duty, if the calendar allows it now."""
    wallet_id, eon = overdraw.wallet_id, moment.eon
    requests = session.scalars(
        select(WithdrawalRequest)
        .where(
            WithdrawalRequest.wallet_id == wallet_id,
            WithdrawalRequest.eon >= eon - 1,
            WithdrawalRequest.status.in_(UNDECIDED),
        )
        .with_for_update()
    ).all()
    deducted = moment.last_is_closed and any(one.eon < eon for one in requests)
    eons = slashable_eons(rules.edition, moment, last_is_deducted=deducted)
    # What the checkpoint has deducted is no part of the overdraw, whether a slash must wait or not.
    dropped = [one for one in requests if one.eon == eon or not moment.last_is_closed]
    total = sum(one.amount for one in dropped)
    if choose_marker(session, rules.edition, wallet_id, eon=eon, requested=total) is None:
        return Verdict.UNPROVEN
    if not eons or _is_open(session, wallet_id):
        return Verdict.WAITS
    slash = _store(session, wallet_id, eon)
    for request in dropped:
        request.status, request.slash_id = "slash_queued", slash.id
    session.flush()
    _tell(session, slash, overdraw)
    return Verdict.DECIDED


def _is_open(session: Session, wallet_id: int) -> bool:
    query = select(Slash.id).where(Slash.wallet_id == wallet_id, Slash.status == "open")
    return session.scalar(query) is not None


def _store(session: Session, wallet_id: int, eon: int) -> Slash:
    earlier = session.scalar(
        select(func.max(Slash.number)).where(Slash.wallet_id == wallet_id, Slash.eon == eon)
    )
    slash = Slash(wallet_id=wallet_id, eon=eon, number=(earlier or 0) + 1)
    session.add(slash)
    session.flush()
    return slash


def _tell(session: Session, slash: Slash, overdraw: Overdraw) -> None:
    notice(
        session,
        f"{NOTICE}-{slash.id}",
        NOTICE,
        {
            "slash": slash.id,
            "short_name": overdraw.short_name,
            "address": overdraw.address.hex(),
            "eon": slash.eon,
            "number": slash.number,
        },
    )


def _raise_class(session: Session, eon: int) -> None:
    """A slash of what the coming checkpoint has left out must land before its root."""
    late = (
        select(Slash.intent_id)
        .join(WithdrawalRequest, WithdrawalRequest.slash_id == Slash.id)
        .where(Slash.status == "open", WithdrawalRequest.eon < eon)
    )
    session.execute(
        update(TransactionIntent)
        .where(TransactionIntent.id.in_(late), TransactionIntent.duty == "slash")
        .values(duty="critical_slash")
    )
