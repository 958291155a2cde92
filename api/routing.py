"""Routes as data: what is served, under which names, and what the API's own description says."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sanic import Blueprint, HTTPResponse, Request

from api.faults import Fault
from api.replies import (
    PREFLIGHT,
    Finish,
    fault_reply,
    is_preflight,
    json_reply,
    reply,
    require_acceptable,
)

ADDRESS: Final = "(?:0x)?[a-fA-F0-9]{40}"
NUMBER: Final = "[0-9]+"
Handler: TypeAlias = Callable[..., Coroutine[Any, Any, HTTPResponse]]
Guard: TypeAlias = Callable[[Request], None]
Schema: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. `path` is relative to its resource: `/<eon:NUMBER>/<token:ADDRESS>`.

    Every path is served with and without a final slash; `spelled_with_slash` only decides how the
    description spells it. A GET serves HEAD too. `errors` are codes of 400 answers in the order
    in which the rules are judged, `refusals` other statuses with their usual bodies,
    `other_answers` those with bodies of their own.
    """

    method: str
    path: str
    handler: Handler
    name: str
    summary: str
    answer: Schema
    status: int = 200
    body: Schema | None = None
    query: Sequence[Schema] = ()
    errors: Sequence[str] = ()
    refusals: Sequence[int] = ()
    other_answers: Mapping[int, Schema] = field(default_factory=dict)
    spelled_with_slash: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """A part of the API under one prefix; those of pages are not described and are no JSON.

    `guard` judges every request before its handler, by raising a `Fault`.
    """

    name: str
    prefix: str
    operations: Sequence[Operation]
    described: bool = field(default=True)
    guard: Guard | None = None

    def blueprint(self, finish: Finish) -> Blueprint:
        """Build the blueprint that serves the operations."""
        blueprint = Blueprint(self.name, url_prefix=self.prefix)
        methods: dict[str, list[str]] = {}
        for operation in self.operations:
            served = ["GET", "HEAD"] if operation.method == "GET" else [operation.method]
            methods.setdefault(operation.path, []).extend(served)
            blueprint.add_route(
                _serve(operation.handler, finish, self.guard, is_json=self.described),
                sanic_path(operation.path),
                methods=served,
                name=operation.name,
                strict_slashes=False,
            )
        for number, (path, served) in enumerate(methods.items()):
            blueprint.add_route(
                _describe(self.name, [*served, "OPTIONS"], finish),
                sanic_path(path),
                methods=["OPTIONS"],
                name=f"options_{number}",
                strict_slashes=False,
            )
        return blueprint


def sanic_path(path: str) -> str:
    """Write a path's `<name:ADDRESS>` and `<name:NUMBER>` as the patterns they stand for."""
    return path.replace(":ADDRESS>", f":{ADDRESS}>").replace(":NUMBER>", f":{NUMBER}>")


def _serve(handler: Handler, finish: Finish, guard: Guard | None, *, is_json: bool) -> Handler:
    async def serve(request: Request, **path: str) -> HTTPResponse:
        try:
            if guard is not None:
                guard(request)
            if is_json:
                require_acceptable(request)
            response = await handler(request, **path)
        except Fault as fault:
            response = fault_reply(fault)
        return finish(request, response)

    return serve


def _describe(name: str, methods: Sequence[str], finish: Finish) -> Handler:
    allow = ", ".join(methods)

    async def describe(request: Request, **_path: str) -> HTTPResponse:
        if is_preflight(request):
            return finish(request, reply("", headers=PREFLIGHT))
        body = {"name": name, "renders": ["application/json"], "methods": list(methods)}
        return finish(request, json_reply(body, headers={"Allow": allow}))

    return describe
