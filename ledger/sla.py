"""Service level agreements: the price at which a sender's quota of each eon is lifted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from models import ServiceLevelAgreement, Token, Transfer, Wallet
from protocol.address import Address


@dataclass(frozen=True, slots=True)
class _Payment:
    transfer_id: int
    payer: Address
    recipient: Address
    token: Address
    amount: int
    settled: bool


def running_agreement(session: Session, address: Address) -> ServiceLevelAgreement | None:
    """Find the agreement of an address that is valid now, the one that ends last."""
    return session.scalars(
        select(ServiceLevelAgreement)
        .where(
            ServiceLevelAgreement.address == address,
            ServiceLevelAgreement.expiry >= func.now(),
        )
        .order_by(ServiceLevelAgreement.expiry.desc())
        .limit(1)
    ).first()


def buy_agreement(
    session: Session, rules: LedgerRules, address: Address, transfer_id: int
) -> ServiceLevelAgreement:
    """Turn a payment of `address` into an agreement from now on.

    Refuses, in this order, with `TRANSFER_DOES_NOT_EXIST` (also for orders, void or unfinished
    transfers, somebody else's, and underpayment), `TRANSFER_MADE_TO_WRONG_WALLET`,
    `TRANSFER_MADE_WITH_WRONG_TOKEN`, `SLA_ALREADY_EXISTS_FOR_TRANSFER`,
    `SLA_STILL_VALID_FOR_WALLET`.
    """
    payment = _payment(session, transfer_id)
    if payment is None or not payment.settled:
        raise Refusal("TRANSFER_DOES_NOT_EXIST")
    if payment.payer != address:
        raise Refusal("TRANSFER_DOES_NOT_EXIST", "the transfer was paid by another address")
    if payment.recipient != rules.sla_recipient:
        raise Refusal("TRANSFER_MADE_TO_WRONG_WALLET")
    if payment.token != rules.sla_token:
        raise Refusal("TRANSFER_MADE_WITH_WRONG_TOKEN")
    if payment.amount < rules.sla_price:
        raise Refusal("TRANSFER_DOES_NOT_EXIST", f"the price is {rules.sla_price}")
    used = select(ServiceLevelAgreement.id).where(ServiceLevelAgreement.transfer_id == transfer_id)
    if session.scalar(used) is not None:
        raise Refusal("SLA_ALREADY_EXISTS_FOR_TRANSFER")
    if running_agreement(session, address) is not None:
        raise Refusal("SLA_STILL_VALID_FOR_WALLET")
    beginning = datetime.now(UTC)
    agreement = ServiceLevelAgreement(
        address=address,
        transfer_id=transfer_id,
        beginning=beginning,
        expiry=beginning + timedelta(days=rules.sla_duration_days),
    )
    session.add(agreement)
    session.flush()
    return agreement


def _payment(session: Session, transfer_id: int) -> _Payment | None:
    """Load a plain transfer, locking its payer's wallet: one purchase of a wallet at a time."""
    sender, recipient = aliased(Wallet), aliased(Wallet)
    row = session.execute(
        select(
            Transfer.id,
            sender.address,
            recipient.address,
            Token.address,
            Transfer.amount,
            Transfer.complete & ~Transfer.voided,
        )
        .join(sender, sender.id == Transfer.sender_id)
        .join(recipient, recipient.id == Transfer.recipient_id)
        .join(Token, Token.id == recipient.token_id)
        .where(Transfer.id == transfer_id, ~Transfer.swap)
        .with_for_update(of=sender, key_share=True)
    ).first()
    if row is None:
        return None
    transfer, payer, paid_to, token, amount, settled = row
    return _Payment(transfer, bytes(payer), bytes(paid_to), bytes(token), amount, bool(settled))
