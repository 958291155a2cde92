"""The doctor sees each thing that is really broken, by name, and says what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from temporalio.client import Client

from chain.gateway import ContractGateway
from cli import main
from commands.examinations.chain import judge_funds
from duties.queues import ALL as QUEUES
from duties.search_attributes import ALL as SEARCH_ATTRIBUTES
from ledger.parameters import Parameters, store_parameters
from models.engine import open_engine, open_sessions
from settings import Settings
from stack.node import AnvilNode
from stack.ports import free_port
from stack.temporal import TemporalDevServer, ensure_namespace
from tests.chain.conftest import chain, gateway, libraries, operator

__all__ = ["chain", "gateway", "libraries", "operator"]

OTHER_KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


@dataclass
class Patient:
    """An operator's surroundings, as variables that a test breaks."""

    environment: dict[str, str]

    def examined(self, **changed: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit code and what was found."""
        environment = self.environment | changed
        result = CliRunner().invoke(main, ["doctor", "--json"], env=environment)
        found: list[dict[str, Any]] = json.loads(result.output)
        assert all(one["advice"] for one in found if one["verdict"] != "ok")
        return result.exit_code, found

    def failing(self, **changed: str) -> dict[str, str]:
        """The messages of what fails, by what was examined.

        The clock is left out: the node is shared, and other tests move its time.
        """
        code, found = self.examined(**changed)
        failing = {one["what"]: one["message"] for one in found if one["verdict"] == "fail"}
        assert code == (1 if failing else 0)
        failing.pop("clock", None)
        return failing


@pytest.fixture
def patient(
    database_url: str,
    anvil: AnvilNode,
    gateway: ContractGateway,
    temporal_dev_server: TemporalDevServer,
) -> Iterator[Patient]:
    """All parts run, but nobody works."""
    namespace = f"t-{uuid4().hex}"
    asyncio.run(_register(temporal_dev_server.address, namespace))
    yield Patient(
        {
            "HUB_DATABASE_URL": database_url,
            "HUB_ETHEREUM_NODE_URL": anvil.url,
            "HUB_ETHEREUM_CHAIN_ID": str(anvil.chain_id),
            "HUB_LQD_CONTRACT_ADDRESS": gateway.contract.hex(),
            "HUB_ACCEPT_PUBLISHED_CONTRACT": "true",
            "TEMPORAL_ADDRESS": temporal_dev_server.address,
            "TEMPORAL_NAMESPACE": namespace,
        }
    )


async def _register(address: str, namespace: str) -> None:
    client = await Client.connect(address, namespace=namespace)
    await ensure_namespace(client, SEARCH_ATTRIBUTES)


def test_an_operator_whose_workers_are_stopped_lacks_its_workers_and_nothing_else(
    patient: Patient,
) -> None:
    assert set(patient.failing()) == {"workers"}
    _, found = patient.examined()
    idle = [one["message"] for one in found if one["what"] == "workers"]
    assert idle == [f"nobody works on {queue}" for queue in QUEUES]
    lines = CliRunner().invoke(main, ["doctor"], env=patient.environment).output.splitlines()
    assert len(lines) == len(found)
    assert {line.split()[0] for line in lines} <= {"ok", "warn", "fail"}


def test_a_wrong_key_is_named_without_being_shown_and_hides_nothing(patient: Patient) -> None:
    code, found = patient.examined(HUB_OWNER_ACCOUNT_KEY=OTHER_KEY)
    assert code == 1 and OTHER_KEY not in json.dumps(found)
    assert "HUB_OWNER_ACCOUNT_KEY must hold the key of" in found[0]["message"]
    assert {"node", "contract", "database"} <= {one["what"] for one in found}


def test_stopped_parts_are_told_apart(patient: Patient) -> None:
    away = f"127.0.0.1:{free_port()}"
    assert {"node", "contract", "funds"} <= set(
        patient.failing(HUB_ETHEREUM_NODE_URL=f"http://{away}")
    )
    assert set(patient.failing(TEMPORAL_ADDRESS=away)) == {"temporal"}
    failing = patient.failing(HUB_DATABASE_URL=f"postgresql://nobody@{away}/none")
    assert {"database", "parameters", "deadlines"} <= set(failing)
    signer = patient.failing(HUB_REMOTE_SIGNER_URL=f"http://{away}")
    assert away in signer["key"]


def test_a_database_that_was_never_migrated_is_recognised(
    patient: Patient, empty_database_url: str
) -> None:
    failing = patient.failing(HUB_DATABASE_URL=empty_database_url)
    assert "its schema is empty" in failing["database"]


def test_a_namespace_that_nobody_prepared_is_recognised(patient: Patient) -> None:
    failing = patient.failing(TEMPORAL_NAMESPACE="never-registered")
    assert failing["temporal"] == "the namespace never-registered does not exist"


def test_a_fallback_node_that_does_not_answer_is_named(patient: Patient) -> None:
    gone, there = f"http://127.0.0.1:{free_port()}", patient.environment["HUB_ETHEREUM_NODE_URL"]
    _, found = patient.examined(HUB_ETHEREUM_FALLBACK_NODE_URLS=f"{gone},{there}")
    verdicts = [one["verdict"] for one in found if one["what"] == "fallback node"]
    assert verdicts == ["warn", "ok"]


def test_another_chain_contract_or_depth_is_recognised(
    patient: Patient, gateway: ContractGateway
) -> None:
    assert (
        "configured is 1"
        in patient.failing(
            HUB_ETHEREUM_CHAIN_ID="1",
            HUB_OWNER_ACCOUNT_ADDRESS="0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
            HUB_OWNER_ACCOUNT_KEY=OTHER_KEY,
        )["node"]
    )
    assert "no code" in patient.failing(HUB_LQD_CONTRACT_ADDRESS="ab" * 20)["contract"]
    deep = patient.failing(HUB_LQD_CONTRACT_CONFIRMATIONS="20")
    assert "do not fit an epoch of 15" in deep["contract"]
    found = gateway.parameters()
    known = asdict(
        Parameters(
            chain_id=found.chain_id,
            contract=gateway.contract,
            operator=found.operator,
            edition=found.edition,
            code_hash=found.code_hash,
            genesis_block=found.genesis_block + 1,
            blocks_per_eon=found.blocks_per_eon,
            eons_kept=found.eons_kept,
            deposits_kept=found.deposits_kept,
            challenge_cost=found.challenge_cost,
        )
    )
    engine = open_engine(patient.environment["HUB_DATABASE_URL"], application_name="test")
    with open_sessions(engine).begin() as session:
        store_parameters(session, Parameters(**known))
    engine.dispose()
    assert "genesis block differ" in patient.failing()["parameters"]


def test_funds_are_held_against_what_duties_may_cost() -> None:
    settings = Settings.development()
    account = settings.owner_address
    verdicts = [
        judge_funds(account, balance, 10**17, settings).verdict
        for balance in (10**17 - 1, 10**18 - 1, 10**18)
    ]
    assert verdicts == ["fail", "warn", "ok"]
