"""The duties over HTTP: what is running, how one stands, and what people tell it."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import unquote

from sanic import HTTPResponse, Request
from sqlalchemy.orm import Session

from api.administration.acts import Act, once, read_act
from api.administration.pages import read_limit
from api.faults import Detail, FieldFaults, Unavailable, item
from api.office import (
    DutyOffice,
    DutyRefuses,
    DutySummary,
    NobodyWorks,
    NoSuchDuty,
    TemporalAway,
)
from api.openapi.schemas import query, ref
from api.readers import Database
from api.replies import json_reply
from api.routing import Guard, Operation, Resource
from duties.interventions import ALL, SIGNALS, Intervention
from ledger.interventions import record_intervention, require_same_act
from ledger.payloads import seconds

WORD: Final = re.compile(r"[A-Za-z0-9-]{1,40}")
FILTERS: Final = {
    "duty": ("NocustDuty", WORD, '"{}"'),
    "token": ("NocustToken", WORD, '"{}"'),
    "eon": ("NocustEon", re.compile("[0-9]{1,18}"), "{}"),
    "blocked": ("NocustBlocked", re.compile("true|false"), "{}"),
    "paused": ("NocustPaused", re.compile("true|false"), "{}"),
}


class Duties:
    """`/admin/duties`."""

    def __init__(self, database: Database, guard: Guard, office: DutyOffice) -> None:
        self._database = database
        self._guard = guard
        self._office = office

    def resource(self) -> Resource:
        """The routes."""
        operations = (
            Operation(
                "GET",
                "/",
                self.list,
                "duties",
                "The duties at work",
                ref("Duties"),
                query=(
                    query("duty", "What it is: eon, transaction, withdrawal, …"),
                    query("token", "A token's short name"),
                    query("eon", "An eon"),
                    query("blocked", "`true`: those that wait for a person or a cure"),
                    query("paused", "`true`: those that a person paused"),
                    query("limit", "100, at most 1000"),
                ),
                refusals=(400, 404, 503),
            ),
            Operation(
                "GET",
                r"/<duty:[^/]+>",
                self.look,
                "duty",
                "One duty, its own status, and what it takes",
                ref("DutyDetail"),
                refusals=(404, 503),
            ),
            Operation(
                "POST",
                f"/<duty:[^/]+>/<action:(?:{'|'.join(ALL)})>",
                self.act,
                "intervene",
                "Tell a duty something; done once for each `update_id`",
                ref("Intervened"),
                body=ref("ActIn"),
                refusals=(404, 409, 503),
            ),
        )
        return Resource("duties", "/admin/duties", operations, guard=self._guard)

    async def list(self, request: Request) -> HTTPResponse:
        """The running duties, filtered."""
        found, more = await _asked(
            self._office.list_running(_condition(request), limit=read_limit(request))
        )
        return json_reply({"duties": [_payload(one) for one in found], "more": more})

    async def look(self, _request: Request, duty: str) -> HTTPResponse:
        """One duty."""
        detail = await _asked(self._office.look(unquote(duty)))
        return json_reply(
            _payload(detail.summary)
            | {"title": detail.title, "status": detail.status, "takes": list(detail.takes)}
        )

    async def act(self, request: Request, duty: str, action: str) -> HTTPResponse:
        """Send an update or a signal. What is written down already is answered, not repeated."""
        act, duty = read_act(request), unquote(duty)
        if action in SIGNALS:
            # Written down first; a signal may be repeated, an unwritten one may not be sent.
            await self._database.write(_record, duty, action, act)
            await _asked(self._office.signal(duty, action))
            return json_reply(_answer(duty, action, act))
        if await self._database.read(_is_done, duty, action, act):
            return json_reply(_answer(duty, action, act) | {"repeated": True})
        intervention = Intervention(act.person.actor, act.person.reason, act.value)
        answer = await _asked(
            self._office.intervene(duty, action, intervention, update_id=act.update_id)
        )
        return json_reply(_answer(duty, action, act) | {"answer": answer})


async def _asked(call: Any) -> Any:
    try:
        return await call
    except NoSuchDuty:
        raise Detail(404, "no such duty") from None
    except DutyRefuses as refusal:
        raise Detail(409, f"refused: {refusal}") from None
    except TemporalAway:
        raise Unavailable("Temporal does not answer; switches work without it") from None
    except NobodyWorks:
        raise Unavailable(
            "no worker took it up in time; repeat it under the same update_id"
        ) from None


def _condition(request: Request) -> str:
    conditions = []
    for name, (attribute, form, spelled) in FILTERS.items():
        value = request.args.get(name)
        if value is None:
            continue
        if not form.fullmatch(value):
            raise FieldFaults({name: [item("invalid", "not a value that duties have")]})
        conditions.append(f"{attribute} = {spelled.format(value)}")
    return " AND ".join(conditions)


def _payload(summary: DutySummary) -> dict[str, Any]:
    return asdict(summary) | {"since": seconds(summary.since)}


def _answer(duty: str, action: str, act: Act) -> dict[str, Any]:
    return {
        "duty": duty,
        "action": action,
        "update_id": act.update_id,
        "answer": None,
        "repeated": False,
    }


def _record(session: Session, duty: str, action: str, act: Act) -> bool:
    return once(lambda: record_intervention(session, action, duty, act.person))


def _is_done(session: Session, duty: str, action: str, act: Act) -> bool:
    value = None if act.value is None else str(act.value)
    return once(lambda: require_same_act(session, action, duty, act.person, value=value))
