"""How much of everything there is: whole history, public, counted at most every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.openapi.schemas import ref
from api.operator import Operator
from api.replies import reply, to_json
from api.routing import Handler, Operation, Resource
from ledger.reading.analytics import (
    Counts,
    count_challenges,
    count_deposits,
    count_transfers,
    count_wallets,
    count_withdrawals,
)

FRESH_S: Final = 10.0
"""For so long an answer is given again: nobody makes the database count all the time."""


class Analytics:
    """`GET /analytics/<subject>`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def resource(self) -> Resource:
        """The routes."""
        database = self._operator.database
        return Resource(
            "analytics",
            "/analytics",
            (
                self._operation(
                    "wallets",
                    "Wallets, each an address in a token, by the eon of their registration",
                    "WalletAnalytics",
                    lambda: database.read(_wallets),
                ),
                self._operation(
                    "transactions",
                    "Transfers and the copies of orders, one an eon, whatever became of them",
                    "StandardAnalytics",
                    # Counts of closed eons are kept: a reading that may write.
                    lambda: database.write(_transfers),
                ),
                self._operation(
                    "deposits",
                    "Credited deposits",
                    "StandardAnalytics",
                    lambda: database.read(_deposits),
                ),
                self._operation(
                    "withdrawals",
                    "Withdrawals that were paid out",
                    "StandardAnalytics",
                    lambda: database.read(_withdrawals),
                ),
                self._operation(
                    "challenges",
                    "Challenges, and how many of them were answered",
                    "ChallengeAnalytics",
                    lambda: database.read(_challenges),
                ),
            ),
        )

    def _operation(
        self,
        subject: str,
        summary: str,
        schema: str,
        count: Callable[[], Coroutine[Any, Any, dict[str, Any]]],
    ) -> Operation:
        return Operation(
            "GET",
            f"/{subject}",
            self._serving(_Remembered(count)),
            f"count{subject.capitalize()}",
            summary,
            ref(schema),
            refusals=(503,),
        )

    def _serving(self, remembered: _Remembered) -> Handler:
        async def serve(_request: Request) -> HTTPResponse:
            self._operator.rules()
            return reply(await remembered.text())

        return serve


class _Remembered:
    """An answer that is counted anew when it is old, by one caller while the others wait."""

    def __init__(self, count: Callable[[], Coroutine[Any, Any, dict[str, Any]]]) -> None:
        self._count = count
        self._text = ""
        self._counted_at: float | None = None
        self._counting = asyncio.Lock()

    async def text(self) -> str:
        async with self._counting:
            now = time.monotonic()
            if self._counted_at is None or now - self._counted_at > FRESH_S:
                self._text = to_json(await self._count())
                self._counted_at = now
            return self._text


def _wallets(session: Session) -> dict[str, Any]:
    eons = count_wallets(session)
    return {
        "total": sum(count for _, count in eons),
        # The dashboard looks for the second name.
        "eon_number": [
            {"eon_number": eon, "registration_eon_number": eon, "count": count}
            for eon, count in eons
        ],
    }


def _transfers(session: Session) -> dict[str, Any]:
    return _standard(count_transfers(session))


def _deposits(session: Session) -> dict[str, Any]:
    return _standard(count_deposits(session))


def _withdrawals(session: Session) -> dict[str, Any]:
    return _standard(count_withdrawals(session))


def _challenges(session: Session) -> dict[str, Any]:
    counts = count_challenges(session)
    return _standard(counts) | {"rebuted": counts.answered}


def _standard(counts: Counts) -> dict[str, Any]:
    return {
        "total": counts.total,
        "eon_number": [{"eon_number": eon, "count": count} for eon, count in counts.by_eon],
        "time": [
            {"day": f"{day.isoformat()}T00:00:00Z", "count": count} for day, count in counts.by_day
        ],
    }
