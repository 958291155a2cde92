"""Admission: a wallet is registered and countersigned in one transaction.

The operator's signature over the empty state of the registration eon lets the wallet open a
challenge in the eon after, so the wallet is a leaf of that eon's checkpoint, and money that came
before it is credited with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.orm import Session

from ledger.blacklist import barred
from ledger.clock import keep_open, read_view, require_intake
from ledger.deposits import credit_orphans
from ledger.notifications import Fact, tell_all, wallet_stream
from ledger.payloads import admission_payload
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from ledger.terms import is_terms_signature, require_latest_terms, store_agreements
from models import TermsOfService, Token, Wallet
from protocol.address import Address, checksum_address
from protocol.signing import Signer, is_signed_by
from protocol.states import admission_digest
from protocol.terms import terms_digest

REGISTRATION_LIMIT_REACHED: Final = "REGISTRATION_LIMIT_REACHED"
"""Not a code of the wire: the API answers 429 with `Retry-After`."""


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """A wallet asks to be admitted to `token`.

    `address_text` is the address as submitted, 40 digits without `0x`, and echoed for ever.
    `authorization` signs the empty state with trail 0 of the eon, `terms_signature` the latest
    terms; both are 65 bytes, or anything else, which nobody signed.
    """

    token: Address
    address: Address
    address_text: str
    authorization: bytes
    terms_signature: bytes


@dataclass(frozen=True, slots=True)
class _Accepted:
    request: AdmissionRequest
    token: Token
    eon: int


def admit(session: Session, rules: LedgerRules, request: AdmissionRequest) -> Wallet:
    """Admit one wallet and return its row, countersigned and with its trail.

    Refuses, in this order, with `INTAKE_CLOSED`, `TOKEN_NOT_REGISTERED` (field `token`),
    `WALLET_BLACKLISTED`, `WALLET_ALREADY_ADMITTED`, `INVALID_ADMISSION_SIGNATURE`,
    `INVALID_TOS_SIGNATURE`, `REGISTRATION_LIMIT_REACHED`.
    """
    view = read_view(session)
    require_intake(view, rules.clock)
    token = _find_token(session, request)
    if barred(session, [request.address]):
        raise Refusal("WALLET_BLACKLISTED")
    if _registered(session, [(token.id, request.address)]):
        raise Refusal("WALLET_ALREADY_ADMITTED")
    eon = _signed_eon(session, rules, request, view.current_eon)
    terms = require_latest_terms(session)
    _require_terms_signature(terms, request)
    admitted = _register(session, rules, terms, [_Accepted(request, token, eon)])
    if not admitted:
        raise Refusal("WALLET_ALREADY_ADMITTED")
    return admitted[0]


def admit_bulk(
    session: Session, rules: LedgerRules, requests: Sequence[AdmissionRequest]
) -> list[Wallet]:
    """Admit several wallets, all or none, and return the new rows in the order of the requests.

    Barred and known wallets are skipped. Refuses with `INTAKE_CLOSED`,
    `TOO_MANY_ADMISSION_REQUESTS`, and for the first bad entry with `TOKEN_NOT_REGISTERED`,
    `INVALID_ADMISSION_SIGNATURE`, `INVALID_TOS_SIGNATURE`.
    """
    view = read_view(session)
    require_intake(view, rules.clock)
    if len(requests) > rules.bulk_admission_limit:
        raise Refusal("TOO_MANY_ADMISSION_REQUESTS")
    tokens = _tokens(session, {request.token for request in requests})
    refused = barred(session, [request.address for request in requests])
    known = _registered(
        session,
        [(tokens[r.token].id, r.address) for r in requests if r.token in tokens],
    )
    terms = require_latest_terms(session) if requests else None
    accepted: list[_Accepted] = []
    for request in requests:
        token = tokens.get(request.token)
        if token is None:
            raise Refusal("TOKEN_NOT_REGISTERED")
        if request.address in refused or (token.id, request.address) in known:
            continue
        eon = _signed_eon(session, rules, request, view.current_eon)
        if terms is not None:
            _require_terms_signature(terms, request)
        known.add((token.id, request.address))
        accepted.append(_Accepted(request, token, eon))
    return _register(session, rules, terms, accepted) if terms is not None else []


def admit_operator(session: Session, rules: LedgerRules, token_id: int) -> Wallet:
    """Admit the operator's own wallet to a token; the existing one if it is admitted already.

    Bootstrap depends on it, so a closed intake does not stop it. Refuses with
    `TERMS_UNAVAILABLE` before terms are stored.
    """
    return admit_own(session, rules, token_id, rules.operator)


def admit_own(session: Session, rules: LedgerRules, token_id: int, owner: Signer) -> Wallet:
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
        authorization=owner.sign(_empty_state(rules, token.address, owner.address, 0, eon)),
        terms_signature=owner.sign(terms_digest(terms.terms_digest, terms.privacy_digest)),
    )
    # Caps guard against strangers: they must never keep a token from having its owner.
    return _register(session, rules, terms, [_Accepted(request, token, eon)], capped=False)[0]


def _find_token(session: Session, request: AdmissionRequest) -> Token:
    token = _tokens(session, {request.token}).get(request.token)
    if token is None:
        raise Refusal("TOKEN_NOT_REGISTERED", "unknown, or not yet confirmed", field="token")
    return token


def _tokens(session: Session, addresses: set[Address]) -> dict[Address, Token]:
    active = select(Token).where(Token.address.in_(addresses), Token.state == "active")
    return {bytes(token.address): token for token in session.scalars(active)}


def _registered(session: Session, names: Sequence[tuple[int, Address]]) -> set[tuple[int, Address]]:
    """Which of these (token id, address) have a wallet."""
    if not names:
        return set()
    rows = session.execute(
        select(Wallet.token_id, Wallet.address).where(
            tuple_(Wallet.token_id, Wallet.address).in_(names)
        )
    )
    return {(token_id, bytes(address)) for token_id, address in rows}


def _empty_state(
    rules: LedgerRules, token: Address, address: Address, trail: int, eon: int
) -> bytes:
    return admission_digest(
        contract=rules.contract, token=token, wallet=address, trail=trail, eon=eon
    )


def _signed_eon(
    session: Session, rules: LedgerRules, request: AdmissionRequest, current: int
) -> int:
    """Find the eon that the wallet authorised: the current one, or the one before while open."""
    for eon in range(current, max(current - 2, 0), -1):
        state = _empty_state(rules, request.token, request.address, 0, eon)
        if is_signed_by(state, request.authorization, request.address):
            if keep_open(session, eon):
                return eon
            break
    raise Refusal("INVALID_ADMISSION_SIGNATURE")


def _require_terms_signature(terms: TermsOfService, request: AdmissionRequest) -> None:
    if not is_terms_signature(terms, request.terms_signature, request.address):
        raise Refusal("INVALID_TOS_SIGNATURE")


def _register(
    session: Session,
    rules: LedgerRules,
    terms: TermsOfService,
    accepted: Sequence[_Accepted],
    *,
    capped: bool = True,
) -> list[Wallet]:
    """Take trails, countersign and store; skip what somebody else registered meanwhile."""
    tokens = _lock_tokens(session, {one.token.id for one in accepted})
    known = _registered(session, [(one.token.id, one.request.address) for one in accepted])
    fresh = [one for one in accepted if (one.token.id, one.request.address) not in known]
    if not fresh:
        return []
    if capped:
        _require_room(session, rules, fresh, tokens)
    rows = []
    for one in fresh:
        trail = tokens[one.token.id].wallet_count
        tokens[one.token.id].wallet_count += 1
        rows.append(_row(rules, one, trail))
    statement = insert(Wallet).returning(Wallet, sort_by_parameter_order=True)
    wallets = list(session.scalars(statement, rows))
    store_agreements(
        session, terms, {one.request.address: one.request.terms_signature for one in fresh}.items()
    )
    streams = [
        wallet_stream(one.token.text, wallet.text)
        for one, wallet in zip(fresh, wallets, strict=True)
    ]
    named = list(zip(wallets, streams, strict=True))
    tell_all(
        session,
        [
            Fact("REGISTERED_WALLET", (stream,), admission_payload(wallet))
            for wallet, stream in named
        ],
    )
    credit_orphans(session, named)
    return wallets


def _row(rules: LedgerRules, accepted: _Accepted, trail: int) -> dict[str, object]:
    request = accepted.request
    state = _empty_state(rules, request.token, request.address, trail, accepted.eon)
    return {
        "token_id": accepted.token.id,
        "address": request.address,
        "text": request.address_text,
        "registration_eon": accepted.eon,
        "wallet_authorization": request.authorization,
        "operator_authorization": rules.operator.sign(state),
        "trail_identifier": trail,
    }


def _lock_tokens(session: Session, token_ids: set[int]) -> dict[int, Token]:
    """Lock tokens in the order of their trails: the one writer of each token's wallet trails."""
    locked = session.scalars(
        select(Token)
        .where(Token.id.in_(token_ids))
        .order_by(Token.trail)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {token.id: token for token in locked}


def _require_room(
    session: Session, rules: LedgerRules, fresh: Sequence[_Accepted], tokens: dict[int, Token]
) -> None:
    """Refuse what would exceed the caps: each wallet deepens the proofs of all, for ever.

    An address may hold so many wallets, and a token grow by so many in an eon. Trails ascend with
    time, so the wallet that many trails back tells whether the token's quota of the eon is used.
    """
    addresses = {one.request.address for one in fresh}
    held = session.execute(
        select(Wallet.address, func.count())
        .where(Wallet.address.in_(addresses))
        .group_by(Wallet.address)
    )
    counts = {bytes(address): int(count) for address, count in held}
    for one in fresh:
        counts[one.request.address] = counts.get(one.request.address, 0) + 1
    if max(counts.values()) > rules.registrations_per_address_limit:
        raise Refusal(REGISTRATION_LIMIT_REACHED, "the address has registered too many wallets")
    eon = max(one.eon for one in fresh)
    for token in tokens.values():
        adding = sum(one.token.id == token.id for one in fresh)
        first = token.wallet_count + adding - rules.registrations_per_eon_limit - 1
        if adding > rules.registrations_per_eon_limit or _is_of_eon(session, token.id, first, eon):
            raise Refusal(REGISTRATION_LIMIT_REACHED, "the eon has registered too many wallets")


def _is_of_eon(session: Session, token_id: int, trail: int, eon: int) -> bool:
    registered = session.scalar(
        select(Wallet.registration_eon).where(
            Wallet.token_id == token_id, Wallet.trail_identifier == trail
        )
    )
    return registered is not None and registered >= eon
