"""A request's id goes with it: into the answer, and into every line that is logged about it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import text

import logs
from api.readers import Database
from tests.api.serving import Site
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    logs.configure("json", "info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO, event: str) -> list[dict[str, Any]]:
    found = map(json.loads, stream.getvalue().splitlines())
    return [line for line in found if line["event"] == event]


async def id_of(site: Site, path: str, **headers: str) -> str:
    async with site.session.get(site.url + path, headers=headers) as response:
        return response.headers["X-Request-Id"]


async def test_the_id_is_the_callers_its_traces_or_our_own(site: Site) -> None:
    traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    assert await id_of(site, "/audit/", **traced) == TRACE
    assert await id_of(site, "/audit/", **traced, **{"X-Request-Id": "mine"}) == "mine"
    own = {await id_of(site, "/nowhere", traceparent=f"00-{TRACE}") for _ in range(3)}
    assert len(own) == 3 and all(len(one) == 16 for one in own)


async def test_every_line_about_a_request_names_it(
    logged: io.StringIO, site: Site, ledger: World
) -> None:
    with ledger.begin() as session:
        session.execute(text("ALTER TABLE token RENAME COLUMN short_name TO other"))
    first = await id_of(site, "/audit/tokens/")
    second = await id_of(site, "/audit/tokens/", **{"X-Request-Id": "call-7"})
    failed = lines(logged, "a request failed")
    assert [line["request_id"] for line in failed] == [first, second]
    assert second == "call-7"


async def test_what_a_thread_logs_for_a_request_names_it_too(
    logged: io.StringIO, ledger: World
) -> None:
    log = logs.get_logger("tests")
    database = Database(ledger.engine, threads=1, waiting_limit=1)
    with logs.bind(request_id="in-line"):
        await database.read(lambda _session: log.info("read"))
    database.close()
    assert [line["request_id"] for line in lines(logged, "read")] == ["in-line"]
