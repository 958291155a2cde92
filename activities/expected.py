"""The duties that must be running, as the ledger has it: what reconciling holds Temporal against.

Each kind of duty adds one finder to `FINDERS`. A duty that is listed here while its workflow is not
running is started again, whatever became of that workflow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.preflight import OPEN_STATES
from activities.starting import (
    Duty,
    challenge_duty,
    desk_duty,
    eon_duty,
    slash_duty,
    transaction_duty,
)
from duties import alarms, names
from duties.calendar import Calendar
from duties.slashes import SlashOrder
from duties.synchronisation import SyncStart
from duties.tokens import RegistrationStart, TokenTerms
from duties.withdrawals import Desk
from ledger.challenges.book import open_challenges
from ledger.clock import find_view
from ledger.tokens import UNNAMED
from ledger.transactions.intents import OPEN
from models import (
    Alarm,
    RootCommitment,
    Slash,
    Token,
    TransactionIntent,
    Wallet,
    WithdrawalRequest,
)

MOST: Final = 10_000
"""Duties of one kind that one comparison looks at, the most urgent first."""
PATIENCE: Final = timedelta(minutes=2)
"""An intent so young is about to be taken up by the duty that opened it."""


Finder: TypeAlias = Callable[[Session, Calendar], Iterable[Duty]]


def _synchronisation(_session: Session, calendar: Calendar) -> Iterable[Duty]:
    yield Duty(
        names.CHAIN_SYNC_ID,
        names.CHAIN_SYNC_WORKFLOW,
        SyncStart(calendar),
        "Follow the parent chain",
    )


def _challenges(session: Session, calendar: Calendar) -> Iterable[Duty]:
    for dispute in open_challenges(session, MOST):
        yield challenge_duty(dispute, calendar)


def _eons(session: Session, calendar: Calendar) -> Iterable[Duty]:
    """The running eon until its root is final, and the one before if it awaits that still."""
    view = find_view(session)
    if view is None or view.intake == "halted":
        return
    for eon in (view.current_eon, view.current_eon - 1):
        is_due = eon == view.current_eon or view.last_submitted_eon == eon
        root = select(RootCommitment.status).where(RootCommitment.eon == eon)
        if eon > 0 and is_due and session.scalar(root) != "committed":
            yield eon_duty(eon, calendar)


def _registrations(session: Session, calendar: Calendar) -> Iterable[Duty]:
    """Tokens on their way; one that cannot be registered waits for a person."""
    blocked = select(Alarm.object).where(
        Alarm.subject == alarms.TOKEN_BLOCKED, Alarm.cleared_at.is_(None)
    )
    given_up = set(session.scalars(blocked))
    pending = select(Token).where(Token.state == "pending", Token.short_name != UNNAMED)
    for token in session.scalars(pending.order_by(Token.id).limit(MOST)):
        identity = names.token_registration_id(token.short_name, token.text)
        if identity not in given_up:
            terms = TokenTerms(token.text, token.name, token.short_name)
            yield Duty(
                identity,
                names.TOKEN_REGISTRATION_WORKFLOW,
                RegistrationStart(terms, calendar),
                f"Register {token.short_name}",
            )


def _slashes(session: Session, calendar: Calendar) -> Iterable[Duty]:
    rows = session.execute(
        select(Slash.id, Token.short_name, Wallet.address, Slash.eon, Slash.number)
        .join(Wallet, Wallet.id == Slash.wallet_id)
        .join(Token, Token.id == Wallet.token_id)
        .where(Slash.status == "open")
        .order_by(Slash.id)
        .limit(MOST)
    )
    for slash, short_name, address, eon, number in rows:
        yield slash_duty(SlashOrder(slash, short_name, address.hex(), eon, number), calendar)


def _desks(session: Session, calendar: Calendar) -> Iterable[Duty]:
    rows = session.execute(
        select(Token.address, Token.short_name, WithdrawalRequest.address)
        .join(Token, Token.id == WithdrawalRequest.token_id)
        .where(WithdrawalRequest.status.in_(OPEN_STATES))
        .group_by(Token.address, Token.short_name, WithdrawalRequest.address)
        .order_by(func.min(WithdrawalRequest.id))
        .limit(MOST)
    )
    for token, short_name, address in rows:
        yield desk_duty(Desk(token.hex(), short_name, address.hex()), calendar)


def _transactions(session: Session, calendar: Calendar) -> Iterable[Duty]:
    intents = session.scalars(
        select(TransactionIntent)
        .where(TransactionIntent.state.in_(OPEN), TransactionIntent.time < func.now() - PATIENCE)
        .order_by(TransactionIntent.deadline_block.nulls_last(), TransactionIntent.id)
        .limit(MOST)
    )
    for intent in intents:
        yield transaction_duty(intent, calendar)


FINDERS: Final[tuple[Finder, ...]] = (
    _synchronisation,
    _challenges,
    _slashes,
    _eons,
    _registrations,
    _desks,
    _transactions,
)
"""In the order in which missing duties are started: duties come before their transactions."""
