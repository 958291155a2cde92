"""Money that nobody's leaf holds: a stated amount becomes the operator's, once a person says so.

It is never withdrawn against the leaf that holds it: it moves to the leaf of the operator's wallet
at the next checkpoint that has so much to spare.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from ledger.interventions import Person, record_intervention
from models import Token, UnclaimedClaim
from protocol.encoding import MAX_U256

ACTION: Final = "claim"

# A stranger's deposit is credited when the stranger registers, and what an open order was not
# allotted comes back to it: neither is to spare.
_SPOKEN_FOR: Final = text("""
SELECT (
    SELECT COALESCE(sum(o.amount), 0) FROM orphan_deposit o
    WHERE o.token_id = :token AND o.deposit_id IS NULL
) + (
    SELECT COALESCE(sum(x.sender_held_back), 0) FROM transfer x JOIN wallet w ON w.id = x.sender_id
    WHERE x.swap AND x.eon = :eon AND w.token_id = :token
) + (
    SELECT COALESCE(sum(x.recipient_held_back), 0)
    FROM transfer x JOIN wallet w ON w.id = x.recipient_id
    WHERE x.swap AND x.eon = :eon AND w.token_id = :token
)
""")
_WAITING: Final = text("""
SELECT id, amount FROM unclaimed_claim WHERE token_id = :token AND eon IS NULL ORDER BY id
""")


class CannotClaim(Exception):
    """The claim makes no sense; the message says why, and nothing has changed."""


def claim_unclaimed(session: Session, short_name: str, amount: int, person: Person) -> bool:
    """Order that `amount` base units of a token's unclaimed money become the operator's.

    False if this very act was ordered before. Raises `CannotClaim`, `UpdateIdTaken`.
    """
    if not 0 < amount <= MAX_U256:
        raise CannotClaim("an amount is a whole number above 0")
    wanted = select(Token.id).where(Token.short_name == short_name, Token.state == "active")
    found = session.scalars(wanted).all()
    if len(found) != 1:
        raise CannotClaim(f"there are {len(found)} active tokens {short_name}")
    if not record_intervention(session, ACTION, short_name, person, value=str(amount)):
        return False
    session.add(UnclaimedClaim(token_id=found[0], amount=amount))
    session.flush()
    return True


def grantable(
    connection: Connection, token_id: int, eon: int, unclaimed: int
) -> list[tuple[int, int]]:
    """List the claims, by id and amount, that the checkpoint after `eon` can allot, oldest first.

    `unclaimed` is what its leaves leave of the token's money. One that is too large waits, and
    later ones are looked at all the same.
    """
    waiting = connection.execute(_WAITING, {"token": token_id}).all()
    if not waiting:
        return []
    spoken_for = connection.execute(_SPOKEN_FOR, {"token": token_id, "eon": eon}).scalar_one()
    spare, granted = unclaimed - int(spoken_for), []
    for row in waiting:
        if row.amount <= spare:
            spare -= int(row.amount)
            granted.append((row.id, int(row.amount)))
    return granted
