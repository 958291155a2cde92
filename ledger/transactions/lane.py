"""Bounds of sending that people set while the operator runs; they count before the settings.

They are columns of the account's row, read whenever a nonce or a fee is decided: a fee market that
has run away, or a node that drops what exceeds its pool, must not need a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from ledger.interventions import Person, record_intervention
from ledger.transactions.nonces import lock_account
from models import SendingAccount
from protocol.address import Address

SET: Final = "set"
LANE: Final = "lane"
GWEI: Final = 10**9
IN_FLIGHT_RANGE: Final = range(5, 1001)
CEILING_RANGE_GWEI: Final = range(1, 1_000_001)


class LaneRefused(ValueError):
    """The bounds contradict each other or leave no room to send."""


@dataclass(frozen=True, slots=True)
class LaneBounds:
    """How many ordinary transactions may be unmined, and the most that one gas may cost in gwei.

    None follows the operator's settings. `critical_ceiling_gwei` is for checkpoints, answers and
    whatever has less than half of its time left.
    """

    in_flight: int | None = None
    ceiling_gwei: int | None = None
    critical_ceiling_gwei: int | None = None

    def __post_init__(self) -> None:
        _require_within("in flight", self.in_flight, IN_FLIGHT_RANGE)
        _require_within("the ceiling", self.ceiling_gwei, CEILING_RANGE_GWEI)
        _require_within("the critical ceiling", self.critical_ceiling_gwei, CEILING_RANGE_GWEI)
        ordinary, critical = self.ceiling_gwei, self.critical_ceiling_gwei
        if ordinary is not None and critical is not None and ordinary > critical:
            raise LaneRefused("the ordinary ceiling is above the critical one")


def read_bounds(session: Session, account: Address) -> LaneBounds:
    """What people have set for `account`."""
    row = session.get(SendingAccount, account, populate_existing=True)
    if row is None:
        return LaneBounds()
    return LaneBounds(row.in_flight, _gwei(row.ceiling), _gwei(row.critical_ceiling))


def set_bounds(session: Session, account: Address, person: Person, bounds: LaneBounds) -> bool:
    """Let `bounds` count from now on; False if they did already or this act is done.

    Raises `UpdateIdTaken`.
    """
    value = f"{bounds.in_flight} {bounds.ceiling_gwei} {bounds.critical_ceiling_gwei}"
    if not record_intervention(session, SET, LANE, person, value=value):
        return False
    row = lock_account(session, account)
    before = LaneBounds(row.in_flight, _gwei(row.ceiling), _gwei(row.critical_ceiling))
    row.in_flight = bounds.in_flight
    row.ceiling = _wei(bounds.ceiling_gwei)
    row.critical_ceiling = _wei(bounds.critical_ceiling_gwei)
    session.flush()
    return before != bounds


def _require_within(name: str, value: int | None, allowed: range) -> None:
    if value is not None and value not in allowed:
        raise LaneRefused(f"{name}: {value} is not within {allowed.start} to {allowed.stop - 1}")


def _wei(gwei: int | None) -> int | None:
    return None if gwei is None else gwei * GWEI


def _gwei(wei: int | None) -> int | None:
    return None if wei is None else wei // GWEI
