"""JSON schemas of the administration: for people, open to new members."""

from __future__ import annotations

from typing import Any, Final

from api.openapi.schemas import Schema, array_of, nullable

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "integer", "minimum": 0}
_TIMING: Final[Schema] = {"type": "number", "minimum": 0}
_BOOLEAN: Final[Schema] = {"type": "boolean"}


def _of(**members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": list(members)}


_SUMMARY: Final = {
    "id": _TEXT,
    "type": _TEXT,
    "since": _NUMBER,
    "running": _BOOLEAN,
    "duty": nullable(_TEXT),
    "phase": nullable(_TEXT),
    "eon": nullable(_NUMBER),
    "token": nullable(_TEXT),
    "wallet": nullable(_TEXT),
    "deadline_block": nullable(_NUMBER),
    "nonce": nullable(_NUMBER),
    "blocked": _BOOLEAN,
    "paused": _BOOLEAN,
}
_ANYTHING: Final[Schema] = {}
_UPDATE_ID: Final[Schema] = {
    "type": "string",
    "maxLength": 100,
    "description": "The caller's name for this act: under one name it is done once.",
}

_WORDS: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 500}


def _act(*required: str, **members: Schema) -> Schema:
    """The body of an act: who and why, `members`, and the caller's name for it."""
    said = {"actor": _WORDS, "reason": _WORDS}
    return {
        "type": "object",
        "properties": {**said, **members, "update_id": _UPDATE_ID},
        "required": [*said, *required],
    }


_LANE: Final = {
    "in_flight": nullable(_NUMBER),
    "ceiling_gwei": nullable(_NUMBER),
    "critical_ceiling_gwei": nullable(_NUMBER),
}

ADMINISTRATION: Final[dict[str, Any]] = {
    "ActIn": _act(
        value=_NUMBER
        | {"description": "Gwei, a block, seconds or a token's trail, where the act takes one."}
    ),
    "CoverIn": _act(
        "amount",
        amount=_TEXT | {"description": "Base units of the token, a whole number above 0."},
    ),
    "CoverOrdered": _of(token=_TEXT, amount=_TEXT, ordered=_BOOLEAN, update_id=_UPDATE_ID),
    "LaneIn": _act(**_LANE),
    "LaneBounds": _of(**_LANE),
    "LaneSet": _of(**_LANE, changed=_BOOLEAN, update_id=_UPDATE_ID),
    "OpenRequest": _of(
        request=_NUMBER, token=_TEXT, wallet=_TEXT, amount=_TEXT, eon=_NUMBER, status=_TEXT
    ),
    "RequestDecided": _of(request=_NUMBER, decision=_TEXT, changed=_BOOLEAN, update_id=_UPDATE_ID),
    "RecordedRequest": _of(
        time=_TIMING,
        request_id=_TEXT,
        method=_TEXT,
        path=_TEXT,
        operation=_TEXT,
        status=_NUMBER,
        ms=_TIMING,
        sql_count=_NUMBER,
        sql_ms=_TIMING,
        process=_NUMBER,
    ),
    "CpuProfile": _of(
        process=_NUMBER,
        seconds=_NUMBER,
        functions=array_of(
            _of(function=_TEXT, place=_TEXT, calls=_TEXT, own_s=_TIMING, total_s=_TIMING)
        ),
    ),
    "Switch": _of(
        switch=_TEXT,
        paused=_BOOLEAN,
        actor=nullable(_TEXT),
        reason=nullable(_TEXT),
        since=nullable(_NUMBER),
    ),
    "SwitchSet": _of(switch=_TEXT, step=_TEXT, changed=_BOOLEAN, update_id=_UPDATE_ID),
    "BarredAddress": _of(address=_TEXT, actor=_TEXT, reason=_TEXT),
    "AddressBarred": _of(address=_TEXT, step=_TEXT, changed=_BOOLEAN, update_id=_UPDATE_ID),
    "Duties": _of(duties=array_of(_of(**_SUMMARY)), more=_BOOLEAN),
    "DutyDetail": _of(**_SUMMARY, title=_TEXT, status=_ANYTHING, takes=array_of(_TEXT)),
    "Intervened": _of(
        duty=_TEXT, action=_TEXT, update_id=_UPDATE_ID, answer=_ANYTHING, repeated=_BOOLEAN
    ),
    "InterventionRecord": _of(
        id=_NUMBER,
        time=_NUMBER,
        actor=_TEXT,
        action=_TEXT,
        subject=_TEXT,
        value=nullable(_TEXT),
        reason=_TEXT,
        update_id=nullable(_TEXT),
    ),
}
