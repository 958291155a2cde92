"""The wire's shapes as wallets know them, and a validator of the few keywords they use.

`published_openapi.json` is a copy of the published description; it is not generated from our code,
so that a change of ours shows.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "published_openapi.json").read_text(encoding="utf-8")
)
SCHEMAS: dict[str, Any] = PUBLISHED["components"]["schemas"]
KNOWN = {
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "examples",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
    "format",
}
TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}


class WrongShape(AssertionError):
    """A value is not what wallets accept."""


def require_shape(name: str, value: Any) -> None:
    """Raise `WrongShape` unless `value` has the shape `name`."""
    _check(SCHEMAS[name], value, name)


def _check(schema: dict[str, Any], value: Any, place: str) -> None:
    unknown = set(schema) - KNOWN
    if unknown:
        raise WrongShape(f"{place}: the validator does not know {unknown}")
    if "$ref" in schema:
        _check(SCHEMAS[schema["$ref"].rsplit("/", 1)[-1]], value, place)
        return
    if "anyOf" in schema:
        _check_any(schema["anyOf"], value, place)
    if "const" in schema and value != schema["const"]:
        raise WrongShape(f"{place}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        raise WrongShape(f"{place}: {value!r} is not one of the known values")
    if "type" in schema:
        _check_type(schema["type"], value, place)
    _check_bounds(schema, value, place)
    if isinstance(value, list) and "items" in schema:
        for number, one in enumerate(value):
            _check(schema["items"], one, f"{place}[{number}]")
    if isinstance(value, dict):
        _check_members(schema, value, place)


def _check_bounds(schema: dict[str, Any], value: Any, place: str) -> None:
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        raise WrongShape(f"{place}: {value!r} does not match {schema['pattern']}")
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            raise WrongShape(f"{place}: {value} is out of range")
    if isinstance(value, (list, str)):
        kind = "Items" if isinstance(value, list) else "Length"
        low, high = schema.get(f"min{kind}", 0), schema.get(f"max{kind}", len(value))
        if not low <= len(value) <= high:
            raise WrongShape(f"{place}: {len(value)} is out of range")


def _check_any(schemas: list[dict[str, Any]], value: Any, place: str) -> None:
    faults = []
    for schema in schemas:
        try:
            _check(schema, value, place)
        except WrongShape as fault:
            faults.append(str(fault))
        else:
            return
    raise WrongShape(f"{place}: none of {faults}")


def _check_type(name: str, value: Any, place: str) -> None:
    if name == "integer":
        fits = isinstance(value, int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, TYPES[name])
    if not fits:
        raise WrongShape(f"{place}: {value!r} is no {name}")


def _check_members(schema: dict[str, Any], value: dict[str, Any], place: str) -> None:
    members = schema.get("properties", {})
    missing = set(schema.get("required", ())) - set(value)
    if missing:
        raise WrongShape(f"{place}: lacks {missing}")
    others = schema.get("additionalProperties", True)
    for name, one in value.items():
        if name in members:
            _check(members[name], one, f"{place}.{name}")
        elif others is False:
            raise WrongShape(f"{place}: unknown member {name}")
        elif isinstance(others, dict):
            _check(others, one, f"{place}.{name}")
