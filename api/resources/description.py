"""The API's description and the page that shows it, with nothing from elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sanic import HTTPResponse, Request
from swagger_ui_bundle import swagger_ui_path

from api.faults import Detail
from api.openapi.document import describe
from api.replies import reply, to_json
from api.routing import Operation, Resource

ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
STARTER: Final = "start.js"
PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>NOCUST operator</title>
<link rel="icon" href="/swagger/assets/favicon-32x32.png">
<link rel="stylesheet" href="/swagger/assets/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/swagger/assets/swagger-ui-bundle.js"></script>
<script src="/swagger/assets/swagger-ui-standalone-preset.js"></script>
<script src="/swagger/assets/start.js"></script></body></html>
"""
START: Final = """SwaggerUIBundle({
  url: "/swagger/openapi.json", dom_id: "#swagger-ui", deepLinking: true, layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset], validatorUrl: null });
"""
SECURITY: Final = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:"
}
ANYTHING: Final[dict[str, Any]] = {}


class Description:
    """`/swagger/`: the page, its assets and the OpenAPI document."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._document = to_json(describe(resources))
        self._folder = Path(str(swagger_ui_path))

    def resource(self) -> Resource:
        """The routes; they are not part of the description."""
        return Resource(
            "swagger",
            "/swagger",
            (
                Operation("GET", "/", self.page, "page", "The page", ANYTHING),
                Operation("GET", "/openapi.json", self.document, "document", "OpenAPI", ANYTHING),
                Operation(
                    "GET", r"/assets/<name:[a-z0-9.-]+>", self.asset, "asset", "Assets", ANYTHING
                ),
            ),
            described=False,
        )

    async def page(self, request: Request) -> HTTPResponse:
        """Show the page, or the document itself with `?format=openapi`."""
        if request.args.get("format") == "openapi":
            return reply(self._document)
        return HTTPResponse(PAGE, headers=dict(SECURITY), content_type="text/html; charset=utf-8")

    async def document(self, _request: Request) -> HTTPResponse:
        """The OpenAPI document."""
        return reply(self._document)

    async def asset(self, _request: Request, name: str) -> HTTPResponse:
        """A file of the installed Swagger UI, one of those that the page needs."""
        if name == STARTER:
            return HTTPResponse(START, content_type="text/javascript")
        kind = ASSETS.get(name)
        if kind is None:
            raise Detail(404, "no such asset")
        content = await asyncio.to_thread((self._folder / name).read_bytes)
        return HTTPResponse(content, content_type=kind)
