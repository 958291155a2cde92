"""Whatever is asked over HTTP: no server error, and no answer that the descriptions do not know."""

from __future__ import annotations

import asyncio
import json
import re
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from ledger.audit import verify_ledger
from tests.api.payments import admit
from tests.api.schemas import PUBLISHED
from tests.api.serving import Site
from tests.ledger.world import ETH, LQD, World, key, text_of

pytestmark = pytest.mark.asyncio
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
PROGRAM = Path(sysconfig.get_path("scripts")) / "schemathesis"


async def fuzz(site: Site, document: dict[str, Any], cases: int, folder: Path) -> int:
    """Run schemathesis; returns how many cases it made, fails with its report."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    running = await asyncio.create_subprocess_exec(
        str(PROGRAM),
        "run",
        str(path),
        f"--url={site.url}",
        f"--checks={','.join(CHECKS)}",
        f"--max-examples={cases}",
        "--phases=examples,fuzzing",
        "--mode=all",
        "--workers=1",
        "--seed=1",
        "--suppress-health-check=all",
        "--generation-database=none",
        "--no-color",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await running.communicate())[0].decode()
    assert running.returncode == 0, told[-6000:]
    made = re.search(r"([\d,]+) generated", told)
    assert made is not None, told[-3000:]
    count = int(made.group(1).replace(",", ""))
    print(f"{count} cases")
    return count


@pytest_asyncio.fixture
async def lively(site: Site, ledger: World) -> Site:
    """A server with wallets in both tokens and a transfer."""
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    with ledger.begin() as session:
        # Nobody looks at the chain here, however long it takes.
        session.execute(text("UPDATE chain_view SET seen_at = now() + interval '1 day'"))
    for name in ("alice", "bob"):
        admit(ledger, name, token=LQD)
    status, answer = await site.post("/transfer/", alice.body(bob, 1))
    assert status == 201
    alice.accept(bob, answer)
    return site


def with_names_of_here(document: dict[str, Any]) -> dict[str, Any]:
    """The description with names of this ledger as examples: some requests find something."""
    changed: dict[str, Any] = json.loads(json.dumps(document))
    address = changed["components"]["schemas"]["AddressIn"]
    address["examples"] = [text_of(ETH), text_of(LQD), text_of(key("alice").address)]
    return changed


@pytest.mark.timeout(3_000)
async def test_our_own_description_holds(
    lively: Site, ledger: World, cases: int, tmp_path: Path
) -> None:
    _, document = await lively.get("/swagger/openapi.json")
    assert await fuzz(lively, with_names_of_here(document), cases, tmp_path) > 0
    with ledger.begin() as session:
        assert verify_ledger(session, ledger.rules) == []


@pytest.mark.timeout(3_000)
async def test_the_published_description_holds(
    lively: Site, ledger: World, cases: int, tmp_path: Path
) -> None:
    assert await fuzz(lively, with_names_of_here(PUBLISHED), cases, tmp_path) > 0
    with ledger.begin() as session:
        assert verify_ledger(session, ledger.rules) == []
