"""People over HTTP: switches without Temporal, and interventions in duties that really run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select
from temporalio.client import Client

from activities.context import Context, Pace
from activities.failures import FailureReports
from activities.registry import activities_of
from api import office
from api.administration.people import People
from api.policy import ApiPolicy
from chain.fees import FeePolicy
from chain.gateway import ContractGateway
from chain.node import Node
from commands.keys import AddressOnly
from duties import names, notices, queues
from duties.eons import EonStart
from duties.search_attributes import ALL as SEARCH_ATTRIBUTES
from duties.tokens import TokenTerms
from duties.transactions import TransactionStart
from ledger.duty_notices import undelivered
from models import BlacklistEntry, InterventionRecord, UnclaimedClaim
from setting_types import Secret
from stack.temporal import TemporalDevServer, ensure_namespace
from tests.api.payments import Payer, admit
from tests.api.serving import NOBODY, PATIENCE_S, Site, eventually, serve
from tests.ledger.world import World, key, text_of
from worker import build_worker

pytestmark = pytest.mark.asyncio
SECRET = "a secret of the administration"
BEARER = {"Authorization": f"Bearer {SECRET}"}
ACT = {"actor": "kim", "reason": "looking into it"}
POLICY = ApiPolicy(admin_token=Secret(SECRET))
EON, TRANSACTION = "eon-2", "tx-checkpoint-2-r1"


class Admin:
    """The administration of one server."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def get(self, path: str) -> tuple[int, Any]:
        """GET below `/admin`."""
        return await self.site.get(f"/admin{path}", headers=BEARER)

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        """POST below `/admin`, signed by kim unless the body says otherwise."""
        return await self.site.call("POST", f"/admin{path}", headers=BEARER, json=ACT | body)


@pytest_asyncio.fixture
async def alone(database_url: str, ledger: World) -> AsyncIterator[Admin]:
    """An administration without Temporal."""
    async with serve(database_url, lambda _session: ledger.rules, POLICY) as site:
        yield Admin(site)


@pytest_asyncio.fixture
async def temporal(temporal_dev_server: TemporalDevServer) -> AsyncIterator[Client]:
    """A namespace of the test's own."""
    client = await Client.connect(temporal_dev_server.address, namespace=f"t-{uuid4().hex}")
    await ensure_namespace(client, SEARCH_ATTRIBUTES)
    yield client


@pytest_asyncio.fixture
async def admin(database_url: str, ledger: World, temporal: Client) -> AsyncIterator[Admin]:
    """An administration with an eon's duty and a paused transaction, not yet worked on."""

    async def connect() -> Client:
        return temporal

    calendar = context(ledger).calendar_of(ledger.rules.clock)
    start = TransactionStart(7, "checkpoint-2-r1", "Submit", calendar, paused=True)
    for kind, argument, name in (
        (names.EON_WORKFLOW, EonStart(2, calendar), EON),
        (names.TRANSACTION_WORKFLOW, start, TRANSACTION),
    ):
        await temporal.start_workflow(
            kind, argument, id=name, task_queue=queues.DUTY, static_summary=f"About {name}"
        )
    people = People(key("operator").address, connect)
    async with serve(database_url, lambda _session: ledger.rules, POLICY, people=people) as site:
        yield Admin(site)


def context(ledger: World) -> Context:
    """Activities on the ledger; nothing here asks the node."""
    return Context(
        engine=ledger.engine,
        sessions=ledger.sessions,
        gateway=ContractGateway(Node("http://127.0.0.1:1"), ledger.rules.contract),
        operator=AddressOnly(ledger.rules.operator.address),
        policy=ledger.rules,
        fees=FeePolicy(300, 1000, 1, 15, 10),
        pace=Pace(poll_s=0.2, block_time_s=1.0, batch_blocks=64),
        terms_url="file:///nowhere",
        sla_token=TokenTerms("00" * 20, "LQD", "LQD"),
    )


class Workers:
    """The workers of all duties in this process; `stop` and `start` as a person would."""

    def __init__(self, client: Client, ledger: World) -> None:
        self._client, self._ledger = client, ledger
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        threads = self._stack.enter_context(ThreadPoolExecutor(20))
        offered = activities_of(context(self._ledger), self._client)
        reports = FailureReports(self._ledger.sessions, str)
        for queue in (queues.DUTY, queues.LEDGER, queues.NOTIFY):
            worker = build_worker(self._client, queue, offered, threads, reports)
            await self._stack.enter_async_context(worker)

    async def stop(self) -> None:
        await self._stack.aclose()


@pytest_asyncio.fixture
async def workers(temporal: Client, ledger: World) -> AsyncIterator[Workers]:
    """Workers that a test starts."""
    workers = Workers(temporal, ledger)
    yield workers
    for name in (EON, TRANSACTION):
        await temporal.get_workflow_handle(name).terminate()
    await workers.stop()


def records(ledger: World) -> list[tuple[str, str, str, str | None]]:
    """The book, oldest first: actor, action, subject, value."""
    with ledger.begin() as session:
        rows = session.scalars(select(InterventionRecord).order_by(InterventionRecord.id))
        return [(row.actor, row.action, row.subject, row.value) for row in rows]


async def test_nothing_of_the_administration_opens_without_the_secret(
    alone: Admin, ledger: World
) -> None:
    address = "0x" + text_of(key("eve").address)
    paths = [
        ("GET", "/switches"),
        ("POST", "/switches/transfers/pause"),
        ("GET", "/blacklist"),
        ("POST", f"/blacklist/{address}/add"),
        ("GET", "/duties"),
        ("GET", "/duties/eon-2"),
        ("POST", "/duties/eon-2/hold_submission"),
        ("GET", "/lane"),
        ("POST", "/lane"),
        ("GET", "/audit-log"),
    ]
    for method, path in paths:
        status, _ = await alone.site.call(method, f"/admin{path}", json=ACT)
        assert status == 401, path
    assert records(ledger) == []


async def test_a_switch_works_at_once_in_every_process_without_temporal(
    alone: Admin, ledger: World, database_url: str
) -> None:
    alice, bob = admit(ledger, "alice", deposit=10), admit(ledger, "bob")
    async with serve(database_url, lambda _session: ledger.rules, people=NOBODY) as other:
        assert await _pay(other, alice, bob) == 201
        status, answer = await alone.post("/switches/transfers/pause", update_id="ticket-1")
        assert (status, answer["changed"], answer["update_id"]) == (200, True, "ticket-1")
        assert await _pay(other, alice, bob) == 503
        assert (await alone.post("/switches/transfers/resume"))[1]["changed"]
        assert await _pay(other, alice, bob) == 201
    status, answer = await alone.post("/switches/transfers/pause", update_id="ticket-1")
    assert (status, answer["changed"]) == (200, False)
    assert (await alone.post("/switches/transfers/resume", update_id="ticket-1"))[0] == 409
    _, switches = await alone.get("/switches")
    assert {one["switch"]: one["paused"] for one in switches} == dict.fromkeys(
        ("admissions", "transfers", "orders", "sending"), False
    )
    assert records(ledger) == [
        ("kim", "pause", "transfers", None),
        ("kim", "resume", "transfers", None),
    ]


async def test_the_bounds_of_sending_are_set_and_taken_back_over_http(
    alone: Admin, ledger: World
) -> None:
    nothing = {"in_flight": None, "ceiling_gwei": None, "critical_ceiling_gwei": None}
    assert await alone.get("/lane") == (200, nothing)
    act = {"in_flight": 8, "critical_ceiling_gwei": 3000, "update_id": "ticket-1"}
    status, answer = await alone.post("/lane", **act)
    assert (status, answer["changed"], answer["in_flight"]) == (200, True, 8)
    assert (await alone.post("/lane", **act))[1]["changed"] is False
    chosen = {"in_flight": 8, "ceiling_gwei": None, "critical_ceiling_gwei": 3000}
    assert await alone.get("/lane") == (200, chosen)
    for nonsense, status in (
        ({"in_flight": 4}, 409),
        ({"ceiling_gwei": 2, "critical_ceiling_gwei": 1}, 409),
        ({"ceiling_gwei": "much"}, 400),
    ):
        assert (await alone.post("/lane", **nonsense))[0] == status
    assert await alone.get("/lane") == (200, chosen)
    assert (await alone.post("/lane"))[1]["changed"] is True
    assert await alone.get("/lane") == (200, nothing)
    assert records(ledger) == [
        ("kim", "set", "lane", "8 None 3000"),
        ("kim", "set", "lane", "None None None"),
    ]


async def _pay(site: Site, sender: Payer, recipient: Payer) -> int:
    status, answer = await site.post("/transfer/", sender.body(recipient, 1))
    if status == 201:
        sender.accept(recipient, answer)
    return status


async def test_a_paused_switch_names_who_and_why(alone: Admin) -> None:
    await alone.post("/switches/sending/pause", reason="the key is being moved")
    _, switches = await alone.get("/switches/")
    sending = next(one for one in switches if one["switch"] == "sending")
    assert sending["paused"] and sending["since"] > 0
    assert (sending["actor"], sending["reason"]) == ("kim", "the key is being moved")


async def test_an_address_is_barred_and_cleared(alone: Admin, ledger: World) -> None:
    address = "0x" + text_of(key("eve").address)
    assert (await alone.post(f"/blacklist/{address.lower()}/add"))[1]["changed"]
    assert await alone.get("/blacklist") == (
        200,
        [{"address": address, "actor": "kim", "reason": "looking into it"}],
    )
    assert (await alone.post(f"/blacklist/{address}/remove"))[1]["changed"]
    with ledger.begin() as session:
        assert session.scalars(select(BlacklistEntry)).all() == []
    assert [row[1:3] for row in records(ledger)] == [
        ("bar address", address),
        ("clear address", address),
    ]


async def test_a_cover_is_ordered_once_and_one_at_a_time(alone: Admin, ledger: World) -> None:
    order = {"amount": "12", "update_id": "the missing dozen"}
    answer = {"token": "ETH", "update_id": "the missing dozen", "amount": "12"}
    assert await alone.post("/covers/ETH", **order) == (200, answer | {"ordered": True})
    assert await alone.post("/covers/ETH", **order) == (200, answer | {"ordered": False})
    status, refusal = await alone.post("/covers/ETH", amount="1")
    assert (status, refusal["detail"]) == (409, "another cover of ETH is on its way")
    assert (await alone.post("/covers/NONE", amount="1"))[0] == 409
    assert (await alone.post("/covers/ETH", amount="0"))[0] == 409
    assert (await alone.post("/covers/ETH", amount="-1"))[0] == 400
    with ledger.begin() as session:
        [notice] = undelivered(session, 100)
        assert notice.kind == notices.COVER_ORDERED
        [record] = session.scalars(select(InterventionRecord)).all()
        assert (record.action, record.subject, record.value) == ("cover", "ETH", "12")


async def test_money_without_an_owner_is_claimed_once(alone: Admin, ledger: World) -> None:
    claim = {"amount": "5", "update_id": "the slash of May"}
    answer = {"token": "ETH", "amount": "5", "update_id": "the slash of May"}
    assert await alone.post("/unclaimed/ETH", **claim) == (200, answer | {"ordered": True})
    assert await alone.post("/unclaimed/ETH", **claim) == (200, answer | {"ordered": False})
    assert (await alone.post("/unclaimed/NONE", amount="5"))[0] == 409
    with ledger.begin() as session:
        [waiting] = session.scalars(select(UnclaimedClaim)).all()
        assert (int(waiting.amount), waiting.eon) == (5, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"actor": ""}, "actor"),
        ({"actor": None}, "actor"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"update_id": ""}, "update_id"),
        ({"update_id": 7}, "update_id"),
        ({"value": "many"}, "value"),
        ({"value": -1}, "value"),
        ({"value": True}, "value"),
        ({"value": 2**63}, "value"),
    ],
)
async def test_an_act_that_is_not_signed_changes_nothing(
    alone: Admin, ledger: World, body: dict[str, Any], field: str
) -> None:
    for path in ("/switches/orders/pause", "/duties/eon-2/retry_now"):
        status, answer = await alone.post(path, **body)
        assert (status, set(answer)) == (400, {field})
    assert records(ledger) == []


async def test_what_is_no_switch_or_action_is_not_found(alone: Admin) -> None:
    for path in (
        "/switches/withdrawals/pause",
        "/switches/orders/stop",
        "/duties/eon-2/terminate",
        "/blacklist/0x12/add",
    ):
        assert (await alone.post(path))[0] == 404, path


async def test_without_temporal_duties_say_so_and_the_book_is_open(
    alone: Admin, ledger: World
) -> None:
    for call in (
        alone.get("/duties"),
        alone.get("/duties/eon-2"),
        alone.post("/duties/eon-2/hold_submission"),
    ):
        status, answer = await call
        assert status == 503
        assert answer == {"detail": "Temporal does not answer; switches work without it"}
    await alone.post("/switches/orders/pause")
    status, book = await alone.get("/audit-log?subject=orders")
    assert (status, [one["action"] for one in book]) == (200, ["pause"])
    assert (await alone.get(f"/audit-log?before={book[0]['id']}"))[1] == []
    assert (await alone.get("/audit-log?limit=x"))[0] == 400
    assert (await alone.get("/duties?eon=x"))[0] == 400


async def test_a_person_sees_the_duties_and_where_each_stands(
    admin: Admin, workers: Workers
) -> None:
    await workers.start()

    async def listed() -> bool:
        _, answer = await admin.get("/duties")
        return {one["id"]: one["phase"] for one in answer["duties"]} == {
            EON: "running-in",
            TRANSACTION: "queued",
        }

    await eventually(listed, 3 * PATIENCE_S)
    _, eons = await admin.get("/duties?duty=eon&eon=2&blocked=false")
    assert [(one["id"], one["eon"]) for one in eons["duties"]] == [(EON, 2)]
    assert (await admin.get("/duties?duty=eon&eon=3"))[1] == {"duties": [], "more": False}
    assert (await admin.get("/duties?limit=1"))[1]["more"]
    status, detail = await admin.get(f"/duties/{TRANSACTION}")
    assert (status, detail["title"], detail["running"]) == (200, f"About {TRANSACTION}", True)
    assert detail["status"]["paused"] is True
    assert "raise_ceiling" in detail["takes"]
    assert await admin.get("/duties/eon-99") == (404, {"detail": "no such duty"})


async def test_an_intervention_is_done_once_answered_and_recorded(
    admin: Admin, workers: Workers, ledger: World
) -> None:
    await workers.start()
    path = f"/duties/{EON}/hold_submission"
    for _ in range(2):
        status, answer = await admin.post(path, update_id="ticket-9")
        assert (status, answer["duty"], answer["update_id"]) == (200, EON, "ticket-9")
    assert answer["repeated"]
    assert (await admin.get(f"/duties/{EON}"))[1]["status"]["held"] is True
    assert (await admin.post(f"/duties/{EON}/release_submission", update_id="ticket-9"))[0] == 409
    path = f"/duties/{TRANSACTION}/raise_ceiling"
    assert (await admin.post(path, value=900))[0] == 200
    assert (await admin.get(f"/duties/{TRANSACTION}"))[1]["status"]["ceiling_gwei"] == 900
    assert (await admin.post(f"/duties/{EON}/wake"))[0] == 200
    assert records(ledger) == [
        ("kim", "hold_submission", EON, None),
        ("kim", "raise_ceiling", TRANSACTION, "900"),
        ("kim", "wake", EON, None),
    ]


async def test_what_makes_no_sense_is_refused_with_a_reason_and_not_recorded(
    admin: Admin, workers: Workers, ledger: World
) -> None:
    await workers.start()
    for path, body, reason in (
        (f"/duties/{TRANSACTION}/raise_ceiling", {}, "a ceiling is 1 to"),
        (f"/duties/{TRANSACTION}/raise_ceiling", {"value": 0}, "a ceiling is 1 to"),
        (f"/duties/{EON}/raise_ceiling", {"value": 9}, "does not take raise_ceiling"),
        (f"/duties/{TRANSACTION}/resync_from", {"value": 9}, "does not take resync_from"),
    ):
        status, answer = await admin.post(path, **body)
        assert status == 409 and reason in answer["detail"], answer
    assert (await admin.post("/duties/eon-99/retry_now"))[0] == 404
    assert records(ledger) == []


async def test_an_intervention_waits_for_no_worker_and_is_done_once_when_one_comes(
    admin: Admin, workers: Workers, ledger: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "UPDATE_PATIENCE_S", 1.0)
    path = f"/duties/{EON}/hold_submission"
    status, answer = await admin.post(path, update_id="ticket-5")
    assert status == 503 and "no worker" in answer["detail"]
    # A look at a duty that nobody works on takes as long as the office waits for a query.
    monkeypatch.setattr(office, "UPDATE_PATIENCE_S", 3 * PATIENCE_S)
    assert (await admin.get(f"/duties/{EON}"))[1]["status"] is None
    await workers.start()
    assert (await admin.post(path, update_id="ticket-5"))[0] == 200
    assert records(ledger) == [("kim", "hold_submission", EON, None)]
