"""Admission: a wallet is registered and countersigned in one transaction.

The operator's signature over the empty state of the registration eon lets the wallet open a
challenge in the eon after, so the wallet is a leaf of that eon's checkpoint, and money that came
before it is credited with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from ledger.blacklist import barred
from ledger.clock import keep_open, read_view, require_intake
from ledger.notifications import wallet_stream
from ledger.refusals import Refusal
from ledger.registration import (
    REGISTRATION_LIMIT_REACHED,
    Accepted,
    AdmissionRequest,
    Registered,
    announce,
    empty_state,
    register,
    registered,
)
from ledger.rules import LedgerRules
from ledger.switches import Entry, require_switched_on
from ledger.terms import is_terms_signature, require_latest_terms
from models import TermsOfService, Token, Wallet
from protocol.address import Address, checksum_address
from protocol.signing import MessageSigner, is_signed_by
from protocol.terms import terms_digest

__all__ = [
    "REGISTRATION_LIMIT_REACHED",
    "AdmissionRequest",
    "admit",
    "admit_bulk",
    "admit_operator",
    "admit_own",
]


def admit(session: Session, rules: LedgerRules, request: AdmissionRequest) -> Wallet:
    """Admit one wallet and return its row, countersigned and with its trail.

    Refuses, in this order, with `INTAKE_CLOSED`, `TOKEN_NOT_REGISTERED` (field `token`),
    `WALLET_BLACKLISTED`, `WALLET_ALREADY_ADMITTED`, `INVALID_ADMISSION_SIGNATURE`,
    `INVALID_TOS_SIGNATURE`, `REGISTRATION_LIMIT_REACHED`.
    """
    view = read_view(session)
    require_intake(view, rules)
    require_switched_on(session, Entry.ADMISSIONS)
    token = _find_token(session, request)
    if barred(session, [request.address]):
        raise Refusal("WALLET_BLACKLISTED")
    if registered(session, [(token.id, request.address)]):
        raise Refusal("WALLET_ALREADY_ADMITTED")
    eon = _signed_eon(session, rules, request, view.current_eon)
    terms = require_latest_terms(session)
    _require_terms_signature(terms, request)
    admitted = register(session, rules, terms, [Accepted(request, token, eon)])
    if not admitted:
        raise Refusal("WALLET_ALREADY_ADMITTED")
    announce(session, admitted, admitted)
    return admitted[0].wallet


def admit_bulk(
    session: Session, rules: LedgerRules, requests: Sequence[AdmissionRequest]
) -> list[Wallet]:
    """Admit several wallets, all or none, and return the new rows in the order of the requests.

    Barred and known wallets are skipped; a known one that repeats its authorisation is told of its
    admission again, since its client waits for that. Refuses with `INTAKE_CLOSED`,
    `TOO_MANY_ADMISSION_REQUESTS`, and for the first bad entry with `TOKEN_NOT_REGISTERED`,
    `INVALID_ADMISSION_SIGNATURE`, `INVALID_TOS_SIGNATURE`.
    """
    view = read_view(session)
    require_intake(view, rules)
    require_switched_on(session, Entry.ADMISSIONS)
    if len(requests) > rules.bulk_admission_limit:
        raise Refusal("TOO_MANY_ADMISSION_REQUESTS")
    if not requests:
        return []
    tokens = _tokens(session, {request.token for request in requests})
    refused = barred(session, [request.address for request in requests])
    named = [
        (tokens[request.token], request)
        for request in requests
        if request.token in tokens and request.address not in refused
    ]
    known = registered(session, [(token.id, request.address) for token, request in named])
    terms = require_latest_terms(session)
    accepted: list[Accepted] = []
    for request in requests:
        token = tokens.get(request.token)
        if token is None:
            raise Refusal("TOKEN_NOT_REGISTERED")
        if request.address in refused or (token.id, request.address) in known:
            continue
        eon = _signed_eon(session, rules, request, view.current_eon)
        _require_terms_signature(terms, request)
        known.add((token.id, request.address))
        accepted.append(Accepted(request, token, eon))
    admitted = register(session, rules, terms, accepted)
    announce(session, _told(session, named), admitted)
    return [one.wallet for one in admitted]


def _told(session: Session, named: Sequence[tuple[Token, AdmissionRequest]]) -> list[Registered]:
    """List those that have a wallet under the authorisation they sent, in the requests' order."""
    names = list(dict.fromkeys((token.id, request.address) for token, request in named))
    rows = session.scalars(select(Wallet).where(tuple_(Wallet.token_id, Wallet.address).in_(names)))
    wallets = {(row.token_id, bytes(row.address)): row for row in rows}
    told: dict[tuple[int, Address], Registered] = {}
    for token, request in named:
        wallet = wallets.get((token.id, request.address))
        if wallet is not None and bytes(wallet.wallet_authorization) == request.authorization:
            stream = wallet_stream(token.text, wallet.text)
            told.setdefault((token.id, request.address), Registered(wallet, stream))
    return list(told.values())


def admit_operator(session: Session, rules: LedgerRules, token_id: int) -> Wallet:
    """Admit the operator's own wallet to a token; the existing one if it is admitted already.

    Bootstrap depends on it, so a closed intake does not stop it. Refuses with
    `TERMS_UNAVAILABLE` before terms are stored.
    """
    return admit_own(session, rules, token_id, rules.operator)


def admit_own(session: Session, rules: LedgerRules, token_id: int, owner: MessageSigner) -> Wallet:
    """Admit a wallet whose key the operator holds: it signs its own authorisation and the terms."""
    token = session.get_one(Token, token_id)
    existing = session.scalars(
        select(Wallet).where(Wallet.token_id == token_id, Wallet.address == owner.address)
    ).first()
    if existing is not None:
        return existing
    eon = read_view(session).current_eon
    if not keep_open(session, eon):
        raise Refusal("INVALID_ADMISSION_SIGNATURE", "the eon is closed")
    terms = require_latest_terms(session)
    request = AdmissionRequest(
        token=token.address,
        address=owner.address,
        address_text=checksum_address(owner.address).removeprefix("0x"),
        authorization=owner.sign(empty_state(rules, token.address, owner.address, 0, eon)),
        terms_signature=owner.sign(terms_digest(terms.terms_digest, terms.privacy_digest)),
    )
    # Caps guard against strangers: they must never keep a token from having its owner.
    admitted = register(session, rules, terms, [Accepted(request, token, eon)], capped=False)
    if not admitted:
        raise Refusal("WALLET_ALREADY_ADMITTED")
    announce(session, admitted, admitted)
    return admitted[0].wallet


def _find_token(session: Session, request: AdmissionRequest) -> Token:
    token = _tokens(session, {request.token}).get(request.token)
    if token is None:
        raise Refusal("TOKEN_NOT_REGISTERED", "unknown, or not yet confirmed", field="token")
    return token


def _tokens(session: Session, addresses: set[Address]) -> dict[Address, Token]:
    active = select(Token).where(Token.address.in_(addresses), Token.state == "active")
    return {bytes(token.address): token for token in session.scalars(active)}


def _signed_eon(
    session: Session, rules: LedgerRules, request: AdmissionRequest, current: int
) -> int:
    """Find the eon that the wallet authorised: the current one, or the one before while open."""
    for eon in range(current, max(current - 2, 0), -1):
        state = empty_state(rules, request.token, request.address, 0, eon)
        if is_signed_by(state, request.authorization, request.address):
            if keep_open(session, eon):
                return eon
            break
    raise Refusal("INVALID_ADMISSION_SIGNATURE")


def _require_terms_signature(terms: TermsOfService, request: AdmissionRequest) -> None:
    if not is_terms_signature(terms, request.terms_signature, request.address):
        raise Refusal("INVALID_TOS_SIGNATURE")
