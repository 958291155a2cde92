"""A proxy before a real operator that changes what it says: the fault is in the words alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from stack.ports import free_port

Lie = Callable[[str, Any], Any]


def truth(_path: str, body: Any) -> Any:
    """Change nothing."""
    return body


class LyingOperator:
    """Forwards every request; `lie` gets the path and the decoded answer and returns another."""

    def __init__(self, operator_url: str, session: aiohttp.ClientSession) -> None:
        self.lie: Lie = truth
        self._url = operator_url
        self._session = session

    async def forward(self, request: web.Request) -> web.Response:
        """Pass one request on and its answer, changed, back."""
        async with self._session.request(
            request.method,
            self._url + request.path_qs,
            data=await request.read(),
            headers={"Content-Type": "application/json"},
        ) as answer:
            body = await answer.read()
            if answer.status < 300:
                body = json.dumps(self.lie(request.path, json.loads(body))).encode()
            return web.Response(body=body, status=answer.status, content_type="application/json")


@asynccontextmanager
async def lying(operator_url: str) -> AsyncIterator[tuple[LyingOperator, str]]:
    """Serve a liar on a free port; yields it and its URL."""
    async with aiohttp.ClientSession() as session:
        liar = LyingOperator(operator_url, session)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", liar.forward)
        runner = web.AppRunner(application)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield liar, f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()
