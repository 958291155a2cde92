"""Every way to answer a challenge that the ledger can think of."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.challenges.book import find_pair
from ledger.challenges.deliveries import delivery_variants
from ledger.challenges.entries import DELIVERY, STATE_UPDATE, SWAP, Entry
from ledger.challenges.evidence import NothingToShow, Variant
from ledger.challenges.state_updates import state_update_variants
from ledger.challenges.swaps import swap_variants
from ledger.rules import LedgerRules
from models import Challenge, Token
from protocol.address import Address


def variants_of(
    session: Session, rules: LedgerRules, challenge: Challenge, entry: Entry
) -> list[Variant]:
    """All answers to a challenge with the record `entry`, the likeliest first.

    A form that the ledger cannot fill in is listed without evidence, with the reason.
    """
    where, recipient, sender = (
        bytes(part) for part in (challenge.token_or_conduit, challenge.recipient, challenge.sender)
    )
    try:
        if entry.kind == SWAP:
            return _of_a_swap(session, rules, entry, where, sender)
        if session.scalar(select(Token.id).where(Token.address == where)) is None:
            raise NothingToShow(f"the ledger knows no token 0x{where.hex()}")
        if entry.kind == STATE_UPDATE:
            return state_update_variants(session, rules, entry, token=where, issuer=sender)
        if entry.kind == DELIVERY:
            return delivery_variants(
                session, rules, entry, token=where, sender=sender, recipient=recipient
            )
    except NothingToShow as nothing:
        return [Variant(entry.kind.replace("_", " "), None, (str(nothing),))]
    return []


def _of_a_swap(
    session: Session, rules: LedgerRules, entry: Entry, conduit: Address, issuer: Address
) -> list[Variant]:
    pair = find_pair(session, conduit)
    if pair is None:
        raise NothingToShow(f"the ledger knows no pair with the conduit 0x{conduit.hex()}")
    sold, bought = pair
    return swap_variants(
        session,
        rules,
        entry,
        sell_token=bytes(sold.address),
        buy_token=bytes(bought.address),
        issuer=issuer,
    )
