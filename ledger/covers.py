"""Covering an over-claim: the operator pays what is missing into the pool, once a person says so.

A plain transfer to the contract belongs to nobody, and the bound of a checkpoint looks at the
balance of the moment, so it is cured as soon as the payment is mined.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from ledger.duty_notices import notice
from ledger.interventions import Person, record_intervention, require_same_act
from models import Cover, Token
from protocol.encoding import MAX_U256

ACTION: Final = "cover"
NOTICE: Final = "cover-ordered"

_OPEN: Final = text("""
SELECT EXISTS (
    SELECT FROM cover c LEFT JOIN transaction_intent i ON i.id = c.intent_id
    WHERE c.token_id = :token AND (i.id IS NULL OR i.state IN
          ('queued', 'assigned', 'broadcast', 'mined', 'held'))
)
""")


class CannotCover(Exception):
    """The order to cover makes no sense; the message says why, and nothing has changed."""


def order_cover(session: Session, short_name: str, amount: int, person: Person) -> bool:
    """Store an order to pay `amount` base units of a token into the pool, with who and why.

    The dispatcher starts the transaction. False if this very act was ordered before. Raises
    `CannotCover`, also while an earlier cover of the token is on its way, and `UpdateIdTaken`.
    """
    if not 0 < amount <= MAX_U256:
        raise CannotCover("an amount is a whole number above 0")
    # The row's lock lets one order of a token be judged at a time.
    wanted = select(Token.id).where(Token.short_name == short_name, Token.state == "active")
    found = session.scalars(wanted.with_for_update()).all()
    if len(found) != 1:
        raise CannotCover(f"there are {len(found)} active tokens {short_name}")
    [token_id] = found
    if require_same_act(session, ACTION, short_name, person, value=str(amount)):
        return False
    if session.execute(_OPEN, {"token": token_id}).scalar_one():
        raise CannotCover(f"another cover of {short_name} is on its way")
    record_intervention(session, ACTION, short_name, person, value=str(amount))
    cover = Cover(token_id=token_id, amount=amount)
    session.add(cover)
    session.flush()
    notice(session, f"{NOTICE}-{cover.id}", NOTICE, {"cover": cover.id})
    return True
