"""The API's description and the pages that show it, with nothing from elsewhere."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from openapi_ui_bundles import redoc, swagger_ui
from sanic import HTTPResponse, Request

from api.faults import Detail
from api.openapi.document import describe
from api.openapi.explanations import EXPLANATIONS, INTRODUCTION
from api.replies import reply, to_json
from api.routing import Operation, Resource

STARTER: Final = "start.js"
ASSETS: Final = {
    "swagger-ui.css": (swagger_ui.static_path, "text/css"),
    "swagger-ui-bundle.js": (swagger_ui.static_path, "text/javascript"),
    "swagger-ui-standalone-preset.js": (swagger_ui.static_path, "text/javascript"),
    "favicon-32x32.png": (swagger_ui.static_path, "image/png"),
    "redoc.standalone.js": (redoc.static_path, "text/javascript"),
}
HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>NOCUST operator</title>
<link rel="icon" href="/swagger/assets/favicon-32x32.png">
"""
PAGE: Final = f"""{HEAD}<link rel="stylesheet" href="/swagger/assets/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/swagger/assets/swagger-ui-bundle.js"></script>
<script src="/swagger/assets/swagger-ui-standalone-preset.js"></script>
<script src="/swagger/assets/{STARTER}"></script></body></html>
"""
START: Final = """SwaggerUIBundle({
  url: "/swagger/openapi.json", dom_id: "#swagger-ui", deepLinking: true, layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset], validatorUrl: null });
"""
READING_PAGE: Final = f"""{HEAD}</head>
<body style="margin:0"><redoc spec-url="/swagger/openapi.json"></redoc>
<script src="/swagger/assets/redoc.standalone.js"></script></body></html>
"""
SECURITY: Final = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:"
}
ANYTHING: Final[dict[str, Any]] = {}


class Description:
    """`/swagger/` and `/redoc/` show the OpenAPI document, `/errors/` explains every code."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._document = to_json(describe(resources))
        self._errors = _errors_page()

    def resources(self) -> tuple[Resource, ...]:
        """The routes; they are not part of the description."""
        asset = r"/assets/<name:[a-z0-9.-]+>"
        return (
            _pages(
                "swagger",
                Operation("GET", "/", self.page, "page", "The page", ANYTHING),
                Operation("GET", "/openapi.json", self.document, "document", "OpenAPI", ANYTHING),
                Operation("GET", asset, self.asset, "asset", "Assets", ANYTHING),
            ),
            _pages("redoc", Operation("GET", "/", self.reading_page, "page", "The page", ANYTHING)),
            _pages("errors", Operation("GET", "/", self.errors, "page", "Codes", ANYTHING)),
        )

    async def page(self, request: Request) -> HTTPResponse:
        """Show the page, or the document itself with `?format=openapi`."""
        return self._shown(request, PAGE)

    async def reading_page(self, request: Request) -> HTTPResponse:
        """Show the page for reading, or the document itself with `?format=openapi`."""
        return self._shown(request, READING_PAGE)

    async def document(self, _request: Request) -> HTTPResponse:
        """The OpenAPI document."""
        return reply(self._document)

    async def errors(self, _request: Request) -> HTTPResponse:
        """Cause and cure of every code, each under its own name: `/errors/#unique`."""
        return _page(self._errors)

    async def asset(self, _request: Request, name: str) -> HTTPResponse:
        """A file of the packaged pages, one of those that they need."""
        if name == STARTER:
            return HTTPResponse(START, content_type="text/javascript")
        folder, kind = ASSETS.get(name, (Path(), None))
        if kind is None:
            raise Detail(404, "no such asset")
        content = await asyncio.to_thread((folder / name).read_bytes)
        return HTTPResponse(content, content_type=kind)

    def _shown(self, request: Request, page: str) -> HTTPResponse:
        if request.args.get("format") == "openapi":
            return reply(self._document)
        return _page(page)


def _pages(name: str, *operations: Operation) -> Resource:
    return Resource(name, f"/{name}", operations, described=False)


def _page(text: str) -> HTTPResponse:
    return HTTPResponse(text, headers=dict(SECURITY), content_type="text/html; charset=utf-8")


def _errors_page() -> str:
    title, _, introduction = INTRODUCTION.partition("\n\n")
    parts = [f"<h1>{_plain(title.removeprefix('# '))}</h1>", f"<p>{_plain(introduction)}</p>"]
    for code, explanation in EXPLANATIONS.items():
        parts.append(
            f'<h2 id="{code.value}">{code.value}</h2><p>{_plain(explanation.cause)}</p>'
            f"<p><em>Cure:</em> {_plain(explanation.cure)}</p>"
        )
    body = "\n".join(parts)
    style = "max-width:44em;margin:2em auto;padding:0 1em;font-family:sans-serif;line-height:1.5"
    return f'{HEAD}</head>\n<body style="{style}">\n{body}\n</body></html>\n'


def _plain(markdown: str) -> str:
    """Write a paragraph of Markdown that has nothing but `code` in it."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(markdown, quote=False))
