"""Terms of service: which are in force, and who has agreed to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from models import TermsOfService, TermsOfServiceSignature, Wallet
from protocol.address import Address
from protocol.signing import is_signed_by
from protocol.terms import terms_digest

TERMS_UNAVAILABLE: Final = "TERMS_UNAVAILABLE"
"""Not a code of the wire: no terms are stored yet, the API answers 503 with `Retry-After`."""


def latest_terms(session: Session) -> TermsOfService | None:
    """Find the terms in force: the youngest pair of documents."""
    newest_first = select(TermsOfService).order_by(
        TermsOfService.time.desc(), TermsOfService.id.desc()
    )
    return session.scalars(newest_first.limit(1)).first()


def require_latest_terms(session: Session) -> TermsOfService:
    """Find the terms in force. Refuses with `TERMS_UNAVAILABLE` before any were stored."""
    terms = latest_terms(session)
    if terms is None:
        raise Refusal(TERMS_UNAVAILABLE, "no terms of service are stored yet")
    return terms


def record_terms(session: Session, *, terms: bytes, privacy: bytes) -> bool:
    """Store a pair of document digests; False if it is known. An old pair does not come back."""
    statement = insert(TermsOfService).values(terms_digest=terms, privacy_digest=privacy)
    known = statement.on_conflict_do_nothing(
        index_elements=["terms_digest", "privacy_digest"]
    ).returning(TermsOfService.id)
    return session.scalar(known) is not None


def is_terms_signature(terms: TermsOfService, signature: bytes, address: Address) -> bool:
    """Tell whether `address` signed these terms (the 32 bytes of their joint digest)."""
    message = terms_digest(terms.terms_digest, terms.privacy_digest)
    return is_signed_by(message, signature, address)


def store_agreements(
    session: Session, terms: TermsOfService, signatures: Iterable[tuple[Address, bytes]]
) -> None:
    """Store verified signatures, one for each address and pair of documents."""
    rows = [
        {"address": address, "terms_id": terms.id, "signature": signature}
        for address, signature in signatures
    ]
    if rows:
        session.execute(
            insert(TermsOfServiceSignature).on_conflict_do_nothing(
                index_elements=["address", "terms_id"]
            ),
            rows,
        )


def sign_terms(session: Session, address: Address, signature: bytes) -> None:
    """Take the agreement of a registered address to the terms in force.

    Refuses, in this order, with `LATEST_TOS_ALREADY_SIGNED`, `WALLET_NOT_ADMITTED`,
    `INVALID_TOS_SIGNATURE`.
    """
    terms = require_latest_terms(session)
    if _newest_signed(session, address) == terms.id:
        raise Refusal("LATEST_TOS_ALREADY_SIGNED")
    if session.scalar(select(Wallet.id).where(Wallet.address == address).limit(1)) is None:
        raise Refusal("WALLET_NOT_ADMITTED")
    if not is_terms_signature(terms, signature, address):
        raise Refusal("INVALID_TOS_SIGNATURE")
    store_agreements(session, terms, [(address, signature)])


def require_terms(
    session: Session, rules: LedgerRules, address: Address, *, now: datetime | None = None
) -> None:
    """Refuse with `INVALID_TOS_SIGNATURE` an address that may not transact.

    The operator always may, everybody while no terms are stored, who signed the latest, and who
    signed older ones while the latest are younger than the grace period.
    """
    terms = latest_terms(session)
    if terms is not None:
        judge_terms(rules, address, terms, _newest_signed(session, address), now=now)


def judge_terms(
    rules: LedgerRules,
    address: Address,
    terms: TermsOfService,
    signed: int | None,
    *,
    now: datetime | None = None,
) -> None:
    """Judge by the rule of `require_terms` an address whose newest signature is of `signed`."""
    if address == rules.operator.address:
        return
    if signed is None:
        raise Refusal("INVALID_TOS_SIGNATURE", "the terms of service were never signed")
    if signed != terms.id and not _is_in_grace(rules, terms, now):
        raise Refusal("INVALID_TOS_SIGNATURE", "the latest terms of service are not signed")


def _is_in_grace(rules: LedgerRules, terms: TermsOfService, now: datetime | None) -> bool:
    age = (now or datetime.now(UTC)) - terms.time
    return age < timedelta(days=rules.terms_grace_days)


def _newest_signed(session: Session, address: Address) -> int | None:
    return session.scalar(
        select(TermsOfService.id)
        .join(TermsOfServiceSignature, TermsOfServiceSignature.terms_id == TermsOfService.id)
        .where(TermsOfServiceSignature.address == address)
        .order_by(TermsOfService.time.desc(), TermsOfService.id.desc())
        .limit(1)
    )
