"""What Prometheus and probes are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text as sql

from settings import ROOT
from tests.api.payments import admit
from tests.api.serving import Site, eventually
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio


async def samples(site: Site) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    async with site.session.get(site.url + "/metrics") as response:
        assert response.status == 200
        text = await response.text()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_probes_answer_under_every_host(site: Site) -> None:
    anywhere = {"Host": "10.0.0.7:8123"}
    assert await site.get("/livez", headers=anywhere) == (200, {"live": True})
    assert await site.get("/readyz", headers=anywhere) == (
        200,
        {"ready": True, "missing": [], "degraded": []},
    )


async def test_duties_that_stand_still_degrade_the_operator_and_it_serves_on(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=9), admit(ledger, "bob")
    with ledger.begin() as session:
        session.execute(sql("UPDATE chain_view SET seen_at = now() - interval '10 minutes'"))
    answer = {"ready": True, "missing": [], "degraded": ["the chain duties"]}
    assert await site.get("/readyz") == (200, answer)
    assert (await site.post("/transfer/", alice.body(bob, 1)))[0] == 201


async def test_requests_group_commits_and_lines_are_told(site: Site, ledger: World) -> None:
    alice, bob = admit(ledger, "alice", deposit=9), admit(ledger, "bob")
    assert (await site.post("/transfer/", alice.body(bob, 1)))[0] == 201
    assert (await site.post("/transfer/", alice.body(bob, 1)))[0] == 400
    async with site.socket(bob.stream):

        async def are_measured() -> bool:
            found = await samples(site)
            return found[("nocust_api_streams", ())] == found[("nocust_api_websockets", ())] == 1

        await eventually(are_measured)
        found = await samples(site)
    for status in ("201", "400"):
        labels = (("operation", "sendTransfer"), ("status", status))
        assert found[("nocust_api_request_seconds_count", labels)] == 1
    assert found[("nocust_group_commit_size_count", ())] == 2
    assert found[("nocust_group_commit_seconds_count", ())] == 2
    assert found[("nocust_api_waiting", (("line", "group commit"),))] == 0


async def test_metrics_are_not_for_everybody(site: Site) -> None:
    outside = {"X-Forwarded-For": "203.0.113.9"}
    assert (await site.get("/metrics", headers=outside))[0] == 403


PROCESS = """
import sys
from pathlib import Path
from settings import publish_environment
from api.metrics import ApiMetrics, take_place
folder = Path(sys.argv[1])
publish_environment(PROMETHEUS_MULTIPROC_DIR=str(folder))
place = take_place(folder)
metrics = ApiMetrics(folder)
metrics.observe_request("x", 200, 0.1)
metrics.sockets.set(3)
print(place, flush=True)
sys.stdin.read()
sys.stdout.write(metrics.expose().decode())
"""


async def test_processes_of_a_port_tell_of_each_other_and_of_those_before(tmp_path: Path) -> None:
    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path / "metrics")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    killed = start()
    assert killed.stdout is not None and killed.stdout.readline() == "0\n"
    killed.kill()
    killed.wait()
    first, second = start(), start()
    assert first.stdout is not None and second.stdout is not None
    assert {first.stdout.readline(), second.stdout.readline()} == {"0\n", "1\n"}
    told, _ = first.communicate("")
    second.communicate("")
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    # A killed process's counts go on in its place; what it held open does not.
    assert found["nocust_api_request_seconds_count"] == 3
    assert found["nocust_api_websockets"] == 6
