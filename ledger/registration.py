"""Registering wallets: dense trails, countersignatures and caps, under the token's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.orm import Session

from ledger.deposits import credit_orphans
from ledger.notifications import Fact, tell_all, wallet_stream
from ledger.payloads import admission_payload
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from ledger.terms import store_agreements
from models import TermsOfService, Token, Wallet
from protocol.address import Address
from protocol.states import admission_digest

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
class Accepted:
    """A request whose signatures are right: it authorises `eon`, which stays open."""

    request: AdmissionRequest
    token: Token
    eon: int


@dataclass(frozen=True, slots=True)
class Registered:
    """A wallet's row and its stream."""

    wallet: Wallet
    stream: str


def registered(session: Session, names: Sequence[tuple[int, Address]]) -> set[tuple[int, Address]]:
    """Tell which of these (token id, address) have a wallet."""
    if not names:
        return set()
    rows = session.execute(
        select(Wallet.token_id, Wallet.address).where(
            tuple_(Wallet.token_id, Wallet.address).in_(names)
        )
    )
    return {(token_id, bytes(address)) for token_id, address in rows}


def empty_state(
    rules: LedgerRules, token: Address, address: Address, trail: int, eon: int
) -> bytes:
    """Digest what a wallet signs with trail 0, and the operator with the trail it assigned."""
    return admission_digest(
        contract=rules.contract, token=token, wallet=address, trail=trail, eon=eon
    )


def register(
    session: Session,
    rules: LedgerRules,
    terms: TermsOfService,
    accepted: Sequence[Accepted],
    *,
    capped: bool = True,
) -> list[Registered]:
    """Take trails, countersign and store; skip what somebody else registered meanwhile.

    `capped` tests the caps, which refuse with `REGISTRATION_LIMIT_REACHED`.
    """
    tokens = _lock_tokens(session, {one.token.id for one in accepted})
    known = registered(session, [(one.token.id, one.request.address) for one in accepted])
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
    return [
        Registered(wallet, wallet_stream(one.token.text, wallet.text))
        for one, wallet in zip(fresh, wallets, strict=True)
    ]


def announce(
    session: Session, told: Sequence[Registered], registered_now: Sequence[Registered]
) -> None:
    """Tell wallets of their admissions in this order, then credit what waited for the new ones."""
    tell_all(
        session,
        [Fact("REGISTERED_WALLET", (one.stream,), admission_payload(one.wallet)) for one in told],
    )
    credit_orphans(session, [(one.wallet, one.stream) for one in registered_now])


def _row(rules: LedgerRules, accepted: Accepted, trail: int) -> dict[str, object]:
    request = accepted.request
    state = empty_state(rules, request.token, request.address, trail, accepted.eon)
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
    session: Session, rules: LedgerRules, fresh: Sequence[Accepted], tokens: dict[int, Token]
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
