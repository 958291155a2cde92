"""How much there is of everything: in all, by eon, by UTC day of recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_WALLETS: Final = text("SELECT registration_eon, count(*) FROM wallet GROUP BY 1 ORDER BY 1")
_BY_EON_AND_DAY: Final = (
    "SELECT eon, (time AT TIME ZONE 'UTC')::date, count(*) FROM {} GROUP BY 1, 2"
)
_DEPOSITS: Final = text(_BY_EON_AND_DAY.format("deposit"))
_WITHDRAWALS: Final = text(_BY_EON_AND_DAY.format("withdrawal"))
_CHALLENGES: Final = text(_BY_EON_AND_DAY.format("challenge WHERE status <> 'orphaned'"))
_ANSWERED: Final = text("SELECT count(*) FROM challenge WHERE status = 'answered'")

# Eons are closed in their order, so the newest one counted ends what need not be counted again.
_COUNTED: Final = "(SELECT COALESCE(max(eon), -1) FROM transfer_count)"
_COUNT_CLOSED: Final = text(f"""
INSERT INTO transfer_count (eon, day, count)
{_BY_EON_AND_DAY.format("transfer WHERE eon > " + _COUNTED)}
HAVING eon IN (SELECT number FROM eon WHERE closed_at IS NOT NULL)
ON CONFLICT DO NOTHING
""")
_TRANSFERS: Final = text(f"""
SELECT eon, day, count FROM transfer_count
UNION ALL
{_BY_EON_AND_DAY.format("transfer WHERE eon > " + _COUNTED)}
""")


@dataclass(frozen=True, slots=True)
class Counts:
    """A total with its parts by eon and by day, both ascending."""

    total: int
    by_eon: tuple[tuple[int, int], ...]
    by_day: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class ChallengeCounts(Counts):
    """Challenges that stand on chain, and how many of them were answered."""

    answered: int


def count_wallets(session: Session) -> tuple[tuple[int, int], ...]:
    """Count wallets, each an address in a token, by the eon of their registration, ascending."""
    return tuple((eon, count) for eon, count in session.execute(_WALLETS))


def count_transfers(session: Session) -> Counts:
    """Count transfers and every eon's copy of an order, void and cancelled ones too.

    What closed eons hold is stored at the first call after their end; the session must be one
    that may write.
    """
    session.execute(_COUNT_CLOSED)
    return _counts(session.execute(_TRANSFERS))


def count_deposits(session: Session) -> Counts:
    """Count credited deposits by the eon in which they count."""
    return _counts(session.execute(_DEPOSITS))


def count_withdrawals(session: Session) -> Counts:
    """Count withdrawals that were paid out and confirmed."""
    return _counts(session.execute(_WITHDRAWALS))


def count_challenges(session: Session) -> ChallengeCounts:
    """Count challenges, those aside that a reorganisation took back."""
    counts = _counts(session.execute(_CHALLENGES))
    answered = session.scalar(_ANSWERED) or 0
    return ChallengeCounts(counts.total, counts.by_eon, counts.by_day, answered)


def _counts(rows: Iterable[Any]) -> Counts:
    by_eon: Counter[int] = Counter()
    by_day: Counter[date] = Counter()
    for eon, day, count in rows:
        by_eon[eon] += count
        by_day[day] += count
    return Counts(by_eon.total(), _ascending(by_eon), _ascending(by_day))


def _ascending(counts: Mapping[Any, int]) -> tuple[tuple[Any, int], ...]:
    return tuple(sorted(counts.items()))
