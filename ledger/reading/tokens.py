"""The tokens of the commit-chain and the directions in which they trade."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models import Token, TokenPair


@dataclass(frozen=True, slots=True)
class TokenFact:
    """A usable token; `address_text` in the letter case that the wire echoes."""

    address_text: str
    name: str
    short_name: str
    trail: int


@dataclass(frozen=True, slots=True)
class PairFact:
    """A direction of trade: selling one token for another."""

    sold_text: str
    bought_text: str
    conduit: bytes


def list_tokens(session: Session) -> list[TokenFact]:
    """List the active tokens by trail: the native asset comes first."""
    rows = session.execute(
        select(Token.text, Token.name, Token.short_name, Token.trail)
        .where(Token.trail.is_not(None))
        .order_by(Token.trail)
    )
    return [
        TokenFact(text, name, short_name, trail)
        for text, name, short_name, trail in rows
        if trail is not None
    ]


def list_pairs(session: Session) -> list[PairFact]:
    """List the directions in which orders may be placed, oldest first."""
    sold, bought = aliased(Token), aliased(Token)
    rows = session.execute(
        select(sold.text, bought.text, TokenPair.conduit)
        .join(sold, sold.id == TokenPair.token_from_id)
        .join(bought, bought.id == TokenPair.token_to_id)
        .order_by(TokenPair.id)
    )
    return [PairFact(one, other, bytes(conduit)) for one, other, conduit in rows]
