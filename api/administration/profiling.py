"""The profiler over HTTP, where `ENABLE_PROFILING` asks for it."""

from __future__ import annotations

import os
from typing import Any, Final

from sanic import HTTPResponse, Request

from api.administration.pages import read_limit, read_number
from api.faults import FieldFaults, item
from api.guard import AdminGuard
from api.openapi.schemas import array_of, query, ref
from api.profiling import RecordedRequest, Recorder
from api.replies import json_reply
from api.routing import Operation, Resource
from setting_types import Secret

LONGEST_PROFILE_S: Final = 60
USUAL_PROFILE_S: Final = 5


class Profiling:
    """`/admin/profiling`. Without a `secret`, as only development allows, it is open."""

    def __init__(self, recorder: Recorder, secret: Secret | None) -> None:
        self._recorder = recorder
        self._guard = None if secret is None else AdminGuard(secret)

    def resource(self) -> Resource:
        """The routes."""
        operations = (
            Operation(
                "GET",
                "/",
                self.list,
                "recordedRequests",
                "The last requests of this process with their time and their SQL, newest first",
                array_of(ref("RecordedRequest")),
                query=(query("limit", "100, at most 1000"),),
                refusals=(400,),
                spelled_with_slash=True,
            ),
            Operation(
                "GET",
                "/cpu",
                self.profile,
                "cpuProfile",
                "Where the event loop of this process spends its time",
                ref("CpuProfile"),
                query=(query("seconds", f"{USUAL_PROFILE_S}, at most {LONGEST_PROFILE_S}"),),
                refusals=(400, 409),
            ),
        )
        return Resource("profiling", "/admin/profiling", operations, guard=self._guard)

    async def list(self, request: Request) -> HTTPResponse:
        """Show what is kept."""
        kept = self._recorder.requests[: read_limit(request)]
        return json_reply([_shown(one) for one in kept])

    async def profile(self, request: Request) -> HTTPResponse:
        """Profile for a while, then answer."""
        given = read_number(request, "seconds")
        seconds = USUAL_PROFILE_S if given is None else given
        if not 1 <= seconds <= LONGEST_PROFILE_S:
            message = f"1 to {LONGEST_PROFILE_S} seconds"
            raise FieldFaults({"seconds": [item("max_value" if seconds else "min_value", message)]})
        functions = await self._recorder.profile_loop(seconds)
        return json_reply({"process": os.getpid(), "seconds": seconds, "functions": functions})


def _shown(one: RecordedRequest) -> dict[str, Any]:
    return {
        "time": round(one.time, 3),
        "request_id": one.request_id,
        "method": one.method,
        "path": one.path,
        "operation": one.operation,
        "status": one.status,
        "ms": round(one.seconds * 1e3, 3),
        "sql_count": one.sql.count,
        "sql_ms": round(one.sql.seconds * 1e3, 3),
        "process": os.getpid(),
    }
