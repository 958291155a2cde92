"""Everything that alert rules, the dashboard and the documentation name is told by what runs."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from activities.context import Context
from activities.measuring.ledger import LedgerNumbers
from api.metrics import ApiMetrics
from duties import alarms, search_attributes
from ledger.alarms import raise_alarm
from models.engine import open_engine, open_sessions
from settings import ROOT, inherited_environment
from stack.node import AnvilNode
from stack.ports import free_port
from stack.temporal import TemporalDevServer, ensure_namespace
from tests.api.serving import eventually

ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
REFERENCE = (ROOT / "docs/metrics.md").read_text()
DASHBOARD = json.loads((ROOT / "deploy/grafana/operator.json").read_text())
SERIES = re.compile(r"\b((?:nocust|temporal)_[a-z0-9_]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'([a-z_]+)(?:=~|!~|!=|=)"[^"]*"')
GROUPING = re.compile(r"\bby \(([a-z_, ]+)\)")
FUNCTIONS = frozenset({"absent", "by", "histogram_quantile", "max", "min", "rate", "sum", "time"})


def rules() -> Iterator[dict[str, Any]]:
    for group in ALERTS["groups"]:
        yield from group["rules"]


def expressions() -> list[str]:
    panels = (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    return [*(rule["expr"] for rule in rules()), *panels]


def labels_in(text: str) -> dict[str, set[str]]:
    """The labels of every series that is told, also of those without a value just now."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        found.setdefault(family.name, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def of_the_api() -> str:
    metrics = ApiMetrics()
    for status in (200, 429):
        metrics.observe_request("sendTransfer", status, 0.1)
    metrics.observe_batch(1, 0.1)
    metrics.waiting.labels("database").set(0)
    return metrics.expose().decode()


@asynccontextmanager
async def worker(environment: dict[str, str], log: Path) -> AsyncIterator[Any]:
    with log.open("ab") as output:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "worker.py"), "--role", "notify"),
            env=inherited_environment(**environment),
            stderr=output,
        )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
        await asyncio.wait_for(running.wait(), 30)


async def read(port: int) -> str:
    def ask() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    return await asyncio.to_thread(ask)


async def test_what_runs_tells_all_that_rules_dashboard_and_reference_name(
    context: Context,
    follow: Callable[[], None],
    database_url: str,
    temporal_dev_server: TemporalDevServer,
    anvil: AnvilNode,
    tmp_path: Path,
) -> None:
    follow()
    with context.sessions.begin() as session:
        raise_alarm(session, alarms.CRITICAL, alarms.FUEL, "test", "told to Prometheus")
    port, namespace = free_port(), f"metrics-{uuid4().hex}"
    client = await Client.connect(temporal_dev_server.address, namespace=namespace)
    await ensure_namespace(client, search_attributes.ALL)
    # Nobody carries it out here: it is only counted.
    await client.start_workflow("ChainSync", id="chain-sync", task_queue="nobody")
    environment = {
        "HUB_DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_dev_server.address,
        "TEMPORAL_NAMESPACE": namespace,
        "HUB_ETHEREUM_NODE_URL": anvil.url,
        "HUB_WORKER_METRICS_PORT": str(port),
        "HUB_LOG_FORMAT": "json",
    }
    told = {"api": of_the_api(), "worker": "", "sdk": ""}
    log = tmp_path / "worker.log"
    async with worker(environment, log):

        async def all_is_told() -> bool:
            told["worker"], told["sdk"] = await read(port), await read(port + 1)
            return 'who="temporal"' in told["worker"] and "slots_available" in told["sdk"]

        await eventually(all_is_told, patience_s=120)
    assert "Traceback" not in log.read_text()
    assert 'nocust_ledger_alarms{severity="critical"} 1.0' in told["worker"]
    assert "nocust_ledger_reachable 1.0" in told["worker"]
    assert 'nocust_duties_running{type="ChainSync"} 1.0' in told["worker"]
    known: dict[str, set[str]] = {}
    for text in told.values():
        known |= labels_in(text)
    for expression in expressions():
        require_known(expression, known)
    require_reference(told["api"] + told["worker"])


def require_known(expression: str, known: dict[str, set[str]]) -> None:
    """Every series of an expression is told, with the labels that it is asked for."""
    names = SERIES.findall(expression)
    assert names, expression
    labels: set[str] = set()
    for name, matchers in names:
        assert name in known, f"{name} in {expression}"
        assert set(MATCHER.findall(matchers)) <= known[name] | {"le"}, expression
        labels |= known[name]
    for grouping in GROUPING.findall(expression):
        assert set(grouping.replace(" ", "").split(",")) <= labels, expression


def require_reference(told: str) -> None:
    """The reference describes exactly what is told, in the words in which it is told."""
    described = dict(re.findall(r"^\| `(nocust_[a-z_]+)`[^|]*\| (.+) \|$", REFERENCE, re.M))
    families = {
        family.name: family.documentation
        for family in text_string_to_metric_families(told)
        if not family.name.endswith("_created")
    }
    assert described == families


def test_rules_and_panels_are_well_formed() -> None:
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert re.fullmatch(r"Nocust[A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"[1-9][0-9]*[smh]", rule.get("for", "1m")), rule
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert (ROOT / rule["annotations"]["runbook"]).is_file(), rule
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 15
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)


def test_expressions_are_balanced_and_use_functions_that_exist() -> None:
    for expression in expressions():
        bare = re.sub(r'"[^"]*"', '""', expression)
        for opened, closed in ("()", "{}", "[]"):
            assert bare.count(opened) == bare.count(closed), expression
        assert set(re.findall(r"\b([a-z_]+) ?\(", bare)) <= FUNCTIONS, expression
        assert all(re.fullmatch(r"\d+[smh]", one) for one in re.findall(r"\[([^]]*)\]", bare))


def test_a_database_that_is_away_is_told_instead_of_old_numbers(context: Context) -> None:
    numbers = LedgerNumbers(context.sessions)
    assert {family.name for family in numbers.collect()} > {"nocust_ledger_reachable"}
    engine = open_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none", application_name="none")
    away = LedgerNumbers(open_sessions(engine))
    [only] = away.collect()
    assert (only.name, only.samples[0].value) == ("nocust_ledger_reachable", 0)
