"""Switches and the blacklist: rows that work at once, whether Temporal runs or not."""

from __future__ import annotations

from typing import Any, Final

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.administration.acts import Act, once, read_act
from api.openapi.schemas import array_of, ref
from api.readers import Database
from api.replies import json_reply
from api.routing import Guard, Operation, Resource
from ledger.blacklist import bar_address, clear_address, list_barred
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
        switches = (
            Operation(
                "GET",
                "/",
                self.list,
                "switches",
                "What is paused, by whom, why and since when",
                array_of(ref("Switch")),
                refusals=(404, 503),
            ),
            Operation(
                "POST",
                f"/<switch:(?:{names})>/<step:(?:{steps})>",
                self.set,
                "setSwitch",
                "Pause or resume new entries of a kind, or all sending",
                ref("SwitchSet"),
                body=ref("ActIn"),
                refusals=(404, 409, 503),
            ),
        )
        blacklist = (
            Operation(
                "GET",
                "/",
                self.barred,
                "blacklist",
                "Addresses that may not register, the newest first",
                array_of(ref("BarredAddress")),
                refusals=(404, 503),
            ),
            Operation(
                "POST",
                f"/<address:ADDRESS>/<step:(?:{ADD}|{REMOVE})>",
                self.bar,
                "setBlacklist",
                "Bar an address from registering, or let it again",
                ref("AddressBarred"),
                body=ref("ActIn"),
                refusals=(404, 409, 503),
            ),
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
        act, paused = read_act(request), step == PAUSE
        changed = await self._database.write(_set, switch, act, paused, self._account)
        answer = {"switch": switch, "step": step, "changed": changed, "update_id": act.update_id}
        return json_reply(answer)

    async def barred(self, _request: Request) -> HTTPResponse:
        """The blacklist."""
        return json_reply(await self._database.read(_barred))

    async def bar(self, request: Request, address: str, step: str) -> HTTPResponse:
        """Add an address to the blacklist or take it off; done once for each `update_id`."""
        act, named = read_act(request), parse_address(address)
        changed = await self._database.write(_bar, named, act, step == ADD)
        answer = {
            "address": checksum_address(named),
            "step": step,
            "changed": changed,
            "update_id": act.update_id,
        }
        return json_reply(answer)


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


def _set(session: Session, name: str, act: Act, paused: bool, account: Address) -> bool:
    return once(lambda: set_switch(session, name, act.person, paused=paused, account=account))


def _barred(session: Session) -> list[dict[str, Any]]:
    return [
        {
            "address": checksum_address(bytes(entry.address)),
            "actor": entry.actor,
            "reason": entry.reason,
        }
        for entry in list_barred(session, limit=MOST_ENTRIES)
    ]


def _bar(session: Session, address: Address, act: Act, barred: bool) -> bool:
    work = bar_address if barred else clear_address
    return once(lambda: work(session, address, act.person))
