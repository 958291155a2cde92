"""The OpenAPI document: exactly the routes that are served, from the table that serves them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from api.openapi import notifications
from api.openapi.administration import ADMINISTRATION as PEOPLE
from api.openapi.schemas import ANSWERS, REQUESTS, VALUES, Schema, ref
from api.routing import Errors, Operation, Resource

PARAMETER: Final = re.compile(r"<(\w+):([^>]+)>")
VERSION: Final = "1.0.0"
ADMINISTRATION: Final = "administration"
ABOUT: Final = """The wallet API of a NOCUST operator.

Amounts are decimal strings in smallest units. Every path is served with and without a final slash.
The quota of a service level counts the transfers that an address sends in an eon. Notifications
come over a WebSocket at `/ws/`, described under its tag. Each answer carries `X-Request-Id`.
The error codes, with their causes and cures, are explained at [/errors/](/errors/)."""
REFUSALS: Final[dict[int, tuple[str, str]]] = {
    400: ("A parameter is bad.", "BadRequest"),
    401: ("The administration's secret is missing or wrong.", "Detail"),
    403: ("The terms of service must be signed first.", "TermsRequired"),
    404: ("No such object.", "Detail"),
    409: ("Refused as things stand; nothing has changed.", "Detail"),
    429: ("Too many; see `Retry-After`.", "Detail"),
    503: ("Nothing has happened; see `Retry-After`.", "Detail"),
}
EVERYWHERE: Final[dict[int, tuple[str, str]]] = {
    406: ("Only application/json is served.", "Detail")
}
IDEMPOTENCY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A random key: repetitions get the first answer for a day. Under a key that "
    "was used for another request: 400 `IDEMPOTENCY_KEY_REUSED`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
WITH_A_BODY: Final[dict[int, tuple[str, str]]] = {
    413: ("A body above one mebibyte.", "Detail"),
    415: ("Neither JSON nor a form.", "Detail"),
}


def describe(resources: Iterable[Resource]) -> dict[str, Any]:
    """Compose the document."""
    paths: dict[str, Any] = {}
    for resource in resources:
        for operation in resource.operations if resource.described else ():
            path = PARAMETER.sub(r"{\1}", resource.prefix + operation.path.rstrip("/"))
            path += "/" if operation.spelled_with_slash else ""
            paths.setdefault(path, {})[operation.method.lower()] = _operation(resource, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "NOCUST operator", "version": VERSION, "description": ABOUT},
        "tags": [{"name": notifications.TAG, "description": notifications.ABOUT}],
        "paths": paths,
        "components": {
            "schemas": {**VALUES, **REQUESTS, **ANSWERS, **PEOPLE, **notifications.MESSAGES},
            "securitySchemes": {ADMINISTRATION: {"type": "http", "scheme": "bearer"}},
        },
        "x-websocket": notifications.WEBSOCKET,
    }


def _operation(resource: Resource, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [resource.name],
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": _responses(resource, operation),
    }
    parameters = [_path_parameter(*found) for found in PARAMETER.findall(operation.path)]
    parameters += operation.query
    if operation.method == "POST":
        parameters.append(IDEMPOTENCY)
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _json(operation.body)}
    if resource.guard is not None:
        described["security"] = [{ADMINISTRATION: []}]
    if operation.errors.codes:
        described["x-error-codes"] = list(operation.errors.codes)
    return described


def _path_parameter(name: str, kind: str) -> Schema:
    schemas = {
        "ADDRESS": ref("AddressIn"),
        "NUMBER": {"type": "integer", "minimum": 0},
        "WORD": {"type": "string", "pattern": "^[a-zA-Z0-9]+$"},
    }
    schema = schemas.get(kind, {"type": "string", "pattern": f"^{kind}$"})
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _responses(resource: Resource, operation: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {
        str(operation.status): {"description": "Success.", "content": _json(operation.answer)}
    }
    if operation.errors.codes or operation.body is not None:
        responses["400"] = _response(_refusal(operation.errors), "BadRequest")
    at_the_door = () if resource.for_probes else (429,)
    guarded = at_the_door if resource.guard is None else (*at_the_door, 401)
    # What does not fit a path's pattern is no such resource.
    misses = (404,) if PARAMETER.search(operation.path) else ()
    numbers = (*guarded, *misses, *operation.refusals)
    chosen = {number: REFUSALS[number] for number in numbers} | EVERYWHERE
    if operation.body is not None:
        chosen |= WITH_A_BODY
    for number, (description, schema) in sorted(chosen.items()):
        responses[str(number)] = _response(description, schema)
    for number, answer in operation.other_answers.items():
        responses[str(number)] = {"description": "See its body.", "content": _json(answer)}
    return responses


def _refusal(errors: Errors) -> str:
    """Say in words what a 400 means: its codes, in the order of the rules, by their shape."""
    lines = ["A rule is broken or the form is bad. Meaning and cure of each code: `/errors/`."]
    shapes = (
        ("A, under the names of fields", errors.fields),
        ("B, under `non_field_errors`", errors.body),
        ("C, in a bare list", errors.ledger),
    )
    for shape, codes in shapes:
        if codes:
            lines.append(f"- shape {shape}: " + ", ".join(f"`{code}`" for code in codes))
    return "\n".join(lines)


def _response(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": _json(ref(schema))}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
