"""Switches and the blacklist: rows that work at once, whether Temporal runs or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.administration.acts import once, read_act
from api.openapi.schemas import array_of, ref
from api.readers import Database
from api.replies import json_reply
from api.routing import Guard, Handler, Operation, Resource
from ledger.blacklist import bar_address, clear_address, list_barred
from ledger.interventions import Person
from ledger.payloads import seconds
from ledger.switches import PAUSE, RESUME, SWITCHES, SwitchState, read_switches, set_switch
from protocol.address import Address, checksum_address, parse_address

ADD: Final = "add"
REMOVE: Final = "remove"
MOST_ENTRIES: Final = 1000


class Switches:
    """`/admin/switches` and `/admin/blacklist`. `account` is the one the operator sends from."""

    def __init__(self, database: Database, guard: Guard, account: Address) -> None:
        self._database = database
        self._guard = guard
        self._account = account

    def resources(self) -> tuple[Resource, Resource]:
        """The routes."""
        names, steps = "|".join(SWITCHES), f"{PAUSE}|{RESUME}"
        switches = _listed_and_set(
            ("switches", "What is paused, by whom, why and since when", "Switch"),
            self.list,
            ("setSwitch", "Pause or resume new entries of a kind, or all sending", "SwitchSet"),
            f"/<switch:(?:{names})>/<step:(?:{steps})>",
            self.set,
        )
        blacklist = _listed_and_set(
            ("blacklist", "Addresses that may not register, the newest first", "BarredAddress"),
            self.barred,
            ("setBlacklist", "Bar an address from registering, or let it again", "AddressBarred"),
            f"/<address:ADDRESS>/<step:(?:{ADD}|{REMOVE})>",
            self.bar,
        )
        return (
            Resource("switches", "/admin/switches", switches, guard=self._guard),
            Resource("blacklist", "/admin/blacklist", blacklist, guard=self._guard),
        )

    async def list(self, _request: Request) -> HTTPResponse:
        """Every switch."""
        return json_reply(await self._database.read(_switches, self._account))

    async def set(self, request: Request, switch: str, step: str) -> HTTPResponse:
        """Set one switch; done once for each `update_id`."""

        def work(session: Session, person: Person) -> bool:
            return set_switch(session, switch, person, paused=step == PAUSE, account=self._account)

        return await self._act(request, {"switch": switch, "step": step}, work)

    async def barred(self, _request: Request) -> HTTPResponse:
        """The blacklist."""
        return json_reply(await self._database.read(_barred))

    async def bar(self, request: Request, address: str, step: str) -> HTTPResponse:
        """Add an address to the blacklist or take it off; done once for each `update_id`."""
        named, change = parse_address(address), bar_address if step == ADD else clear_address

        def work(session: Session, person: Person) -> bool:
            return change(session, named, person)

        return await self._act(request, {"address": checksum_address(named), "step": step}, work)

    async def _act(
        self, request: Request, what: dict[str, str], work: Callable[[Session, Person], bool]
    ) -> HTTPResponse:
        """Have a person's act done and say whether it changed anything."""
        act = read_act(request)

        def done(session: Session) -> bool:
            return once(lambda: work(session, act.person))

        changed = await self._database.write(done)
        return json_reply({**what, "changed": changed, "update_id": act.update_id})


def _listed_and_set(
    listing: tuple[str, str, str],
    show: Handler,
    setting: tuple[str, str, str],
    path: str,
    act: Handler,
) -> tuple[Operation, Operation]:
    """A list and the acts that change it, each by name, summary and the schema of its answer."""
    name, summary, schema = listing
    listed = Operation("GET", "/", show, name, summary, array_of(ref(schema)), refusals=(404, 503))
    name, summary, schema = setting
    changed = Operation(
        "POST", path, act, name, summary, ref(schema), body=ref("ActIn"), refusals=(404, 409, 503)
    )
    return listed, changed


def _switches(session: Session, account: Address) -> list[dict[str, Any]]:
    return [_switch(state) for state in read_switches(session, account)]


def _switch(state: SwitchState) -> dict[str, Any]:
    return {
        "switch": state.name,
        "paused": state.paused,
        "actor": state.actor,
        "reason": state.reason,
        "since": None if state.since is None else seconds(state.since),
    }


def _barred(session: Session) -> list[dict[str, Any]]:
    return [
        {
            "address": checksum_address(bytes(entry.address)),
            "actor": entry.actor,
            "reason": entry.reason,
        }
        for entry in list_barred(session, limit=MOST_ENTRIES)
    ]
