"""Tokens and pairs: a token is usable once its registration is confirmed under its trail."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from ledger.admission import admit_operator, admit_own
from ledger.alarms import UNKNOWN_TOKEN, clear_alarm, raise_alarm
from ledger.clock import find_view
from ledger.refusals import LedgerInvariant, Refusal
from ledger.rules import LedgerRules
from models import Token, TokenPair
from protocol.address import Address, checksum_address
from protocol.conduits import conduit
from protocol.signing import MessageSigner

TOKEN_ALREADY_KNOWN: Final = "TOKEN_ALREADY_KNOWN"
NATIVE_NAME: Final = "Ethereum"
NATIVE_SHORT_NAME: Final = "ETH"
UNNAMED: Final = "?"
"""Short name of a token that the chain showed before a person named it."""


class TrailMismatch(LedgerInvariant):
    """The chain gave a token another trail than the ledger can: every proof would be wrong."""


def find_token(session: Session, address: Address) -> Token | None:
    """Find a token by its address, pending or active."""
    return session.scalars(select(Token).where(Token.address == address)).first()


def add_token(
    session: Session, rules: LedgerRules, address: Address, *, name: str, short_name: str
) -> Token:
    """Store a token that is yet to be registered on chain, or name one that the chain showed first.

    Refuses with `TOKEN_ALREADY_KNOWN`, also for the contract's own address: registered a second
    time, the native asset would move to another trail and lose all its proofs.
    """
    if address == rules.contract:
        raise Refusal(TOKEN_ALREADY_KNOWN, "the contract's address stands for the native asset")
    noted = find_token(session, address)
    if noted is not None and noted.short_name == UNNAMED:
        noted.name, noted.short_name = name, short_name
        clear_alarm(session, UNKNOWN_TOKEN, checksum_address(address))
        return noted
    return _store(session, address, name, short_name)


def note_token(session: Session, address: Address, block: int) -> None:
    """Store a token that somebody registered without the ledger, and call a person to name it."""
    row = _row(address, "unnamed token", UNNAMED, block)
    session.execute(row.on_conflict_do_nothing(index_elements=["address"]))
    raise_alarm(
        session,
        "critical",
        UNKNOWN_TOKEN,
        checksum_address(address),
        "registered on chain by somebody else: add it under its name",
    )


def add_native_token(session: Session, rules: LedgerRules) -> Token:
    """Store and activate the native asset with trail 0, and admit the operator; idempotent."""
    if find_token(session, rules.contract) is None:
        _store(session, rules.contract, NATIVE_NAME, NATIVE_SHORT_NAME)
    return activate_token(session, rules, rules.contract, 0)


def activate_token(
    session: Session,
    rules: LedgerRules,
    address: Address,
    trail: int,
    *,
    sla_recipient: MessageSigner | None = None,
) -> Token:
    """Make a token usable under the trail that the chain confirmed, and admit its owners.

    The operator gets its wallet in the same transaction; in the token of service level
    agreements their recipient too, if that is another address and its key is given. Idempotent.
    Raises `TrailMismatch` unless the trail follows those of the other active tokens.
    """
    token = session.scalars(
        select(Token).where(Token.address == address).with_for_update(key_share=True)
    ).one_or_none()
    if token is None:
        raise LedgerInvariant(f"{checksum_address(address)} is not a token of this ledger")
    if token.state == "active":
        if token.trail != trail:
            raise TrailMismatch(f"{token.short_name} has trail {token.trail}, the chain {trail}")
    else:
        expected = session.scalar(select(func.count()).where(Token.state == "active"))
        if trail != expected:
            raise TrailMismatch(f"{token.short_name} has trail {trail}, expected is {expected}")
        token.trail, token.state = trail, "active"
        session.flush()
    admit_operator(session, rules, token.id)
    if address == rules.sla_token and sla_recipient is not None:
        admit_own(session, rules, token.id, sla_recipient)
    return token


def add_pair(session: Session, sold: Address, bought: Address) -> bool:
    """Let orders sell `sold` for `bought`; False if they may already.

    Refuses with `TOKEN_NOT_REGISTERED`, and with `DEBIT_CREDIT_TOKEN_ADDRESS_MATCH` for a token
    against itself.
    """
    if sold == bought:
        raise Refusal("DEBIT_CREDIT_TOKEN_ADDRESS_MATCH")
    tokens = {sold: find_token(session, sold), bought: find_token(session, bought)}
    ids = {address: token.id for address, token in tokens.items() if token is not None}
    if len(ids) != 2:
        raise Refusal("TOKEN_NOT_REGISTERED")
    pair = insert(TokenPair).values(
        token_from_id=ids[sold], token_to_id=ids[bought], conduit=conduit(sold, bought)
    )
    added = pair.on_conflict_do_nothing(index_elements=["token_from_id", "token_to_id"])
    return session.scalar(added.returning(TokenPair.id)) is not None


def add_default_pairs(session: Session, rules: LedgerRules) -> None:
    """Open both directions between the native asset and the token of service level agreements."""
    add_pair(session, rules.contract, rules.sla_token)
    add_pair(session, rules.sla_token, rules.contract)


def _store(session: Session, address: Address, name: str, short_name: str) -> Token:
    view = find_view(session)
    row = _row(address, name, short_name, 0 if view is None else view.latest_block)
    stored = session.scalars(
        row.on_conflict_do_nothing(index_elements=["address"]).returning(Token)
    ).first()
    if stored is None:
        raise Refusal(TOKEN_ALREADY_KNOWN, f"{checksum_address(address)} is known")
    return stored


def _row(address: Address, name: str, short_name: str, block: int) -> Insert:
    return insert(Token).values(
        address=address,
        text=checksum_address(address).removeprefix("0x"),
        name=name,
        short_name=short_name,
        block=block,
    )
