"""What each kind of event did, done backwards. The caller holds the eons and the accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from ledger.duty_notices import notice
from models import (
    ChainEvent,
    Deposit,
    OrphanDeposit,
    RootCommitment,
    Slash,
    Token,
    Withdrawal,
    WithdrawalRequest,
)

_MOVE = text("""
UPDATE wallet_eon SET deposited = deposited - :deposited, withdrawn = withdrawn + :withdrawn
WHERE wallet_id = :wallet AND eon = :eon
""")


class TokenInUse(Exception):
    """A token's registration has left the chain, and wallets of it exist."""


class EffectUnknown(Exception):
    """The ledger no longer shows what an event did."""


def undo_deposit(session: Session, event: ChainEvent) -> None:
    """Take the credit back, or forget the money of an address without a wallet."""
    session.execute(delete(OrphanDeposit).where(OrphanDeposit.event_id == event.id))
    for row in session.scalars(select(Deposit).where(Deposit.event_id == event.id)):
        _move(session, row.wallet_id, row.eon, deposited=row.amount)
        session.delete(row)
    session.flush()


def undo_request(session: Session, event: ChainEvent) -> None:
    """Give back what was set aside for a withdrawal."""
    for row in session.scalars(
        select(WithdrawalRequest).where(WithdrawalRequest.event_id == event.id)
    ):
        if row.wallet_id is not None and row.status != "slashed":
            _move(session, row.wallet_id, row.eon, withdrawn=-row.amount)
        session.delete(row)
    session.flush()


def undo_payment(session: Session, event: ChainEvent) -> None:
    """The requests that it paid are open again."""
    paid = select(Withdrawal.request_id).where(Withdrawal.event_id == event.id)
    session.execute(
        update(WithdrawalRequest)
        .where(WithdrawalRequest.id.in_(paid))
        .values(status="pending")
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Withdrawal).where(Withdrawal.event_id == event.id))


def undo_slash(session: Session, event: ChainEvent) -> None:
    """The requests that it dropped set their money aside again, and are being slashed again if it
    was us who decided so; else they are judged anew."""
    for eon, name in (
        (event.eon, "current_eon_amount"),
        (event.eon - 1, "previous_eon_amount"),
    ):
        for row in _dropped_requests(session, event, eon, int(event.arguments[name])):
            row.status = _reopen_slash(session, row)
            if row.wallet_id is not None:
                _move(session, row.wallet_id, row.eon, withdrawn=row.amount)
    session.flush()


def _reopen_slash(session: Session, row: WithdrawalRequest) -> str:
    """Take up the decision about a request again, or join the one that is open; its status then."""
    if row.slash_id is None:
        return "pending"
    is_open = select(Slash.id).where(Slash.wallet_id == row.wallet_id, Slash.status == "open")
    other = session.scalar(is_open)
    if other is not None:
        row.slash_id = other
    else:
        session.execute(update(Slash).where(Slash.id == row.slash_id).values(status="open"))
    return "slash_queued"


def _dropped_requests(
    session: Session, event: ChainEvent, eon: int, dropped: int
) -> list[WithdrawalRequest]:
    """The newest slashed requests of a wallet in an eon that make up what a slash dropped."""
    found: list[WithdrawalRequest] = []
    rows = session.scalars(
        select(WithdrawalRequest)
        .join(Token, Token.id == WithdrawalRequest.token_id)
        .where(
            Token.address == bytes.fromhex(event.arguments["token"]),
            WithdrawalRequest.address == bytes.fromhex(event.arguments["requestor"]),
            WithdrawalRequest.eon == eon,
            WithdrawalRequest.status == "slashed",
        )
        .order_by(WithdrawalRequest.block.desc(), WithdrawalRequest.id.desc())
    )
    for row in rows:
        if sum(one.amount for one in found) >= dropped:
            break
        found.append(row)
    if sum(one.amount for one in found) != dropped:
        raise EffectUnknown(f"the requests that {event.name} in block {event.block} dropped")
    return found


def undo_checkpoint(session: Session, event: ChainEvent) -> None:
    """The root is not on chain any more; it stays what it is."""
    session.execute(
        update(RootCommitment)
        .where(
            RootCommitment.eon == int(event.arguments["eon"]),
            RootCommitment.merkle_root == bytes.fromhex(event.arguments["root"]),
        )
        .values(status="created")
    )


def undo_registration(session: Session, event: ChainEvent) -> None:
    """Raises `TokenInUse` for a token that wallets use; another one was only noted."""
    address = bytes.fromhex(event.arguments["token"])
    token = session.scalars(select(Token).where(Token.address == address)).one_or_none()
    if token is not None and token.state == "active":
        raise TokenInUse(f"{token.short_name} is in use and not registered on this branch")


def tell_desk(session: Session, event: ChainEvent) -> None:
    """Wake the desk of the wallet that an event was about: its requests changed."""
    address = bytes.fromhex(event.arguments["token"])
    short_name = session.scalar(select(Token.short_name).where(Token.address == address))
    if short_name is not None:
        arguments = {
            "token": address.hex(),
            "address": event.arguments["requestor"],
            "short_name": short_name,
        }
        notice(session, f"undone-{event.id}", "withdrawal-settled", arguments)


def _move(
    session: Session, wallet_id: int, eon: int, *, deposited: int = 0, withdrawn: int = 0
) -> None:
    session.execute(
        _MOVE, {"wallet": wallet_id, "eon": eon, "deposited": deposited, "withdrawn": withdrawn}
    )


Undo: TypeAlias = Callable[[Session, ChainEvent], None]
UNDO: Final[dict[str, Undo]] = {
    "Deposit": undo_deposit,
    "WithdrawalRequest": undo_request,
    "WithdrawalConfirmation": undo_payment,
    "WithdrawalSlashed": undo_slash,
    "CheckpointSubmission": undo_checkpoint,
    "TokenRegistered": undo_registration,
}
