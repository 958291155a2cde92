"""Routes as data: what is served, under which names, and what the API's own description says."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Final, TypeAlias

from sanic import Blueprint, HTTPResponse, Request

from api.callers import Hosts
from api.errors import OUT_OF_REACH
from api.faults import Fault
from api.idempotency import HEADER, Idempotency
from api.limits import Limits
from api.metrics import ApiMetrics
from api.profiling import Recorder
from api.replies import (
    PREFLIGHT,
    Finish,
    fault_reply,
    is_preflight,
    json_reply,
    reply,
    request_id,
    require_acceptable,
)
from logs import bind

ADDRESS: Final = "(?:0x)?[a-fA-F0-9]{40}"
NUMBER: Final = "[0-9]+"
WORD: Final = "[a-zA-Z0-9]+"
Handler: TypeAlias = Callable[..., Coroutine[Any, Any, HTTPResponse]]
Guard: TypeAlias = Callable[[Request], None]
"""Raises `Fault` for a request that must not reach its handler."""
Schema: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Errors:
    """Codes of 400 answers in the order in which the rules are judged, by the shape they take.

    Shape A: under the names of `fields`, all bad ones together. B: over the whole `body`. C: of
    the `ledger`, in a bare list.
    """

    fields: Sequence[str] = ()
    body: Sequence[str] = ()
    ledger: Sequence[str] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.fields, *self.body, *self.ledger)


NO_ERRORS: Final = Errors()


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. `path` is relative to its resource: `/<eon:NUMBER>/<token:ADDRESS>`.

    Every path is served with and without a final slash; `spelled_with_slash` only decides how the
    description spells it. A GET serves HEAD too. `errors` are the codes of 400 answers,
    `refusals` other statuses with their usual bodies, `other_answers` those with bodies of their
    own.
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
    errors: Errors = NO_ERRORS
    refusals: Sequence[int] = ()
    other_answers: Mapping[int, Schema] = field(default_factory=dict)
    spelled_with_slash: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """What every request passes on its way in and every answer on its way out."""

    hosts: Hosts
    limits: Limits
    metrics: ApiMetrics
    idempotency: Idempotency
    finish: Finish
    recorder: Recorder | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A part of the API under one prefix; those of pages are not described and are no JSON.

    `guard` judges every request before its handler, by raising a `Fault`. Those `for_probes` are
    asked by machines that know us by an address: every Host header will do.
    """

    name: str
    prefix: str
    operations: Sequence[Operation]
    described: bool = True
    guard: Guard | None = None
    for_probes: bool = False

    def blueprint(self, door: Door) -> Blueprint:
        """Build the blueprint that serves the operations."""
        blueprint = Blueprint(self.name, url_prefix=self.prefix)
        methods: dict[str, list[str]] = {}
        for operation in self.operations:
            served = ["GET", "HEAD"] if operation.method == "GET" else [operation.method]
            methods.setdefault(operation.path, []).extend(served)
            blueprint.add_route(
                _serve(operation, self._guards(door), door),
                sanic_path(operation.path),
                methods=served,
                name=operation.name,
                strict_slashes=False,
            )
        for number, (path, served) in enumerate(methods.items()):
            blueprint.add_route(
                _describe(self.name, [*served, "OPTIONS"], door.finish),
                sanic_path(path),
                methods=["OPTIONS"],
                name=f"options_{number}",
                strict_slashes=False,
            )
        return blueprint

    def _guards(self, door: Door) -> tuple[Guard, ...]:
        return (
            *(() if self.for_probes else (door.hosts.require, door.limits.require)),
            *(() if self.guard is None else (self.guard,)),
            *((require_acceptable,) if self.described else ()),
        )


def sanic_path(path: str) -> str:
    """Write a path's `<name:ADDRESS>`, `NUMBER` and `WORD` as the patterns they stand for."""
    for kind, pattern in (("ADDRESS", ADDRESS), ("NUMBER", NUMBER), ("WORD", WORD)):
        path = path.replace(f":{kind}>", f":{pattern}>")
    return path


def _serve(operation: Operation, guards: Sequence[Guard], door: Door) -> Handler:
    handler, finish, observe = operation.handler, door.finish, door.metrics.observe_request
    recorder = door.recorder
    repeats, keyed = operation.method == "POST", door.idempotency.serve

    async def serve(request: Request, **path: str) -> HTTPResponse:
        """Answer under the request's name, and record it where profiling asks for that."""
        with bind(request_id=request_id(request)):
            if recorder is None:
                return await answer(request, **path)
            return await recorder.record(operation.name, request, partial(answer, request, **path))

    async def answer(request: Request, **path: str) -> HTTPResponse:
        """Answer behind the guards; faults become answers, anything else is counted and raised."""
        started = perf_counter()
        try:
            for guard in guards:
                guard(request)
            if repeats and HEADER in request.headers:
                response = await keyed(request, partial(handler, request, **path))
            else:
                response = await handler(request, **path)
        except Fault as fault:
            response = fault_reply(fault)
        except Exception as error:
            status = 503 if isinstance(error, OUT_OF_REACH) else 500
            observe(operation.name, status, perf_counter() - started)
            raise
        observe(operation.name, response.status, perf_counter() - started)
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
