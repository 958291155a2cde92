"""Everything that people do over HTTP, apart from wallets: its resources and their own thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from api.administration.duties import Duties
from api.administration.lane import Lane
from api.administration.pool_money import PoolMoney
from api.administration.records import Records
from api.administration.requests import Requests
from api.administration.switches import Switches
from api.guard import AdminGuard
from api.office import Connect, DutyOffice
from api.readers import Database
from api.routing import Resource
from protocol.address import Address
from setting_types import Secret

THREADS: Final = 1
WAITING_LIMIT: Final = 32


@dataclass(frozen=True, slots=True)
class People:
    """What the administration needs besides the ledger.

    `account` is the one that the operator sends from, `connect` reaches Temporal.
    """

    account: Address
    connect: Connect


class Administration:
    """The resources below `/admin` that change something, and the book of what was changed.

    They have a thread of their own: when wallets crowd the operator, people still get through.
    """

    def __init__(self, engine: Engine, people: People, secret: Secret | None) -> None:
        self._database = Database(engine, threads=THREADS, waiting_limit=WAITING_LIMIT)
        self._office = DutyOffice(people.connect)
        self._account = people.account
        self._guard = AdminGuard(secret)

    def resources(self) -> list[Resource]:
        """The routes."""
        return [
            *Switches(self._database, self._guard, self._account).resources(),
            Duties(self._database, self._guard, self._office).resource(),
            Lane(self._database, self._guard, self._account).resource(),
            Requests(self._database, self._guard).resource(),
            *PoolMoney(self._database, self._guard).resources(),
            Records(self._database, self._guard).resource(),
        ]

    async def stop(self) -> None:
        """End the thread and the connection to Temporal."""
        await self._office.close()
        self._database.close()
