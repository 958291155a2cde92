"""The services of the compose file that run our code, as plain processes: their commands, their
environment, their health checks. Only where things are differs from what an engine would give."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner
from temporalio.client import Client
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from cli import main
from contracts.deployment import create_token, deploy_commit_chain
from contracts.sending import Sender
from protocol.keccak import keccak256
from protocol.signing import Signer
from settings import ROOT
from stack.composition import Composition, load_composition, load_env_file
from stack.node import AnvilNode
from stack.parts import ApiServer
from stack.ports import free_port
from stack.postgres import EmbeddedPostgres
from stack.process import ProcessSpec, spawn, stop
from stack.temporal import TemporalDevServer
from tests.end_to_end.conftest import RunningOperator, _mine_until_ready, chain_node

__all__ = ["chain_node"]

KEY = keccak256(b"an operator in production")
READY_TIMEOUT_S = 120
SERVING = ("api", "worker-chain", "worker-ledger", "worker-notify")
PYTHON_FOLDER = str(Path(sys.executable).parent)


@dataclass
class Deployment:
    """The compose file, a filled in `.env`, and where its names lead on this machine."""

    composition: Composition
    given: dict[str, str]
    places: dict[str, str]
    logs: Path
    running: dict[str, tuple[subprocess.Popen[bytes], ProcessSpec]] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        """What the service is given, containers' names replaced; of our own it has only PATH."""
        found = self.composition.environment(service, self.given)
        for name, text in found.items():
            for there, here in self.places.items():
                text = text.replace(there, here)
            found[name] = text
        home = {"HOME": str(self.logs), "PATH": f"{PYTHON_FOLDER}:{os.environ['PATH']}"}
        return {**dict.fromkeys(os.environ, ""), **found, **home}

    def command(self, service: str) -> tuple[str, ...]:
        """Entry point, the image's unless the service has its own, and command."""
        stated = self.composition.services[service]
        words = (*stated.get("entrypoint", image_entry_point()), *stated["command"])
        return tuple(self.places.get(word, word) for word in words)

    def start(self, service: str) -> None:
        spec = ProcessSpec(
            name=service,
            command=self.command(service),
            environment=self.environment(service),
            folder=ROOT,
            grace_s=60.0,
        )
        with (self.logs / f"{service}.log").open("ab") as output:
            self.running[service] = spawn(spec, output), spec

    def run(self, service: str, command: tuple[str, ...]) -> tuple[int, str]:
        """Carry a command out as if inside of the service's container."""
        done = subprocess.run(
            command,
            env=self.environment(service),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    def health_check(self, service: str) -> tuple[str, ...]:
        kind, *command = self.composition.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return tuple(text.replace(":8123/", f":{self.places['8123']}/") for text in command)

    def said(self, service: str) -> str:
        return (self.logs / f"{service}.log").read_text(errors="replace")

    def stop_all(self) -> None:
        for process, spec in self.running.values():
            stop(process, spec)


def image_entry_point() -> tuple[str, ...]:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (stated,) = [line for line in lines if line.startswith("ENTRYPOINT ")]
    return tuple(json.loads(stated.removeprefix("ENTRYPOINT ")))


@pytest.fixture
def deployment(
    chain_node: AnvilNode,
    postgres_server: EmbeddedPostgres,
    empty_database_url: str,
    temporal_dev_server: TemporalDevServer,
    tmp_path: Path,
) -> Iterator[Deployment]:
    w3 = Web3(HTTPProvider(chain_node.url))
    owner = Signer(KEY).address
    funds = RPCEndpoint("anvil_setBalance")
    w3.provider.make_request(funds, [f"0x{owner.hex()}", hex(10**21)])
    deployed = deploy_commit_chain(w3, KEY, blocks_per_eon=48, confirmations=3)
    token = create_token(Sender(w3, KEY), "Liquidity", "LQD", 10**27)
    filled = {
        "HUB_OWNER_ACCOUNT_ADDRESS": f"0x{owner.hex()}",
        "HUB_OWNER_ACCOUNT_KEY": KEY.hex(),
        "HUB_LQD_CONTRACT_ADDRESS": f"0x{deployed.address.hex()}",
        "HUB_LQD_CONTRACT_CONFIRMATIONS": "3",
        "HUB_ETHEREUM_NODE_URL": chain_node.url,
        "HUB_ETHEREUM_CHAIN_ID": str(chain_node.chain_id),
        "HUB_SYNC_POLL_SECONDS": "0.2",
        "SLA_TOKEN_ADDRESS": f"0x{token.hex()}",
        "TOS_URL": (ROOT / "deploy" / "development-terms" / "terms.json").as_uri(),
        "POSTGRES_PASSWORD": "n0tTheRealOneButLong",
        "TEMPORAL_POSTGRES_PASSWORD": "an0therOneThatIsLong",
    }
    (tmp_path / ".env").write_text(
        (ROOT / ".env.example").read_text()
        + "".join(f"{name}='{text}'\n" for name, text in filled.items())
    )
    (tmp_path / "data").mkdir()
    login, database = empty_database_url.rsplit("/", 1)
    real = login.split("//", 1)[1]
    deployment = Deployment(
        load_composition(),
        load_env_file(tmp_path / ".env"),
        {
            f"nocust:{filled['POSTGRES_PASSWORD']}@postgres:5432/nocust": f"{real}/{database}",
            "temporal:7233": temporal_dev_server.address,
            "/data": str(tmp_path / "data"),
            "/backups": str(tmp_path / "backups"),
            "8123": str(free_port()),
        },
        tmp_path,
    )
    yield deployment
    deployment.stop_all()


def carry_out(deployment: Deployment, service: str, command: tuple[str, ...]) -> tuple[int, str]:
    """As `Deployment.run`, within this process if it is a command of ours: it need not start."""
    program, *arguments = command
    if program != "nocust-operator":
        return deployment.run(service, command)
    result = CliRunner().invoke(main, arguments, env=deployment.environment(service))
    return result.exit_code, result.output


def is_healthy(deployment: Deployment, service: str) -> None:
    code, said = carry_out(deployment, service, deployment.health_check(service))
    assert code == 0, f"{service}: {said}"


def nobody_works(deployment: Deployment) -> None:
    """The health check of a worker that is not there."""
    code, said = carry_out(deployment, "worker-chain", deployment.health_check("worker-chain"))
    assert code == 1
    assert "nobody of this machine works on nocust-write" in said


def backs_up(deployment: Deployment) -> None:
    code, said = carry_out(deployment, "backup", deployment.command("backup"))
    assert code == 0 and Path(said.splitlines()[-1]).stat().st_size > 0, said


def metrics(deployment: Deployment) -> str:
    url = f"http://127.0.0.1:{deployment.places['8123']}/metrics"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


@pytest.mark.timeout(400)
async def test_every_service_of_ours_starts_serves_is_healthy_and_ends_in_order(
    deployment: Deployment, chain_node: AnvilNode
) -> None:
    # A fresh data base and no namespace: `prepare` makes both.
    code, said = deployment.run("prepare", deployment.command("prepare"))
    assert code == 0, said
    await asyncio.to_thread(nobody_works, deployment)
    for service in SERVING:
        deployment.start(service)
    environment = deployment.environment("api")
    url = f"http://127.0.0.1:{deployment.places['8123']}"
    api = ApiServer(0, {}, f"{url}/readyz")
    operator = RunningOperator(
        url,
        chain_node.url,
        b"",
        b"",
        environment["HUB_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://"),
        await Client.connect(environment["TEMPORAL_ADDRESS"]),
        Web3(HTTPProvider(chain_node.url)),
    )
    mining = asyncio.create_task(_mine_until_ready(operator, api))
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not mining.done():
        assert time.monotonic() < deadline, api.complaint
        for service, (process, _) in deployment.running.items():
            assert process.poll() is None, deployment.said(service)
        await asyncio.sleep(0.5)
    await mining
    for service in SERVING:
        await asyncio.to_thread(is_healthy, deployment, service)
    # The folder that the image gives to its user holds the metrics that processes share.
    assert "nocust" in metrics(deployment)
    assert list((Path(deployment.places["/data"]) / "metrics").iterdir())
    await asyncio.to_thread(backs_up, deployment)

    for process, _ in deployment.running.values():
        process.send_signal(signal.SIGTERM)
    for service, (process, _) in deployment.running.items():
        assert await asyncio.to_thread(process.wait, 60) == 0, deployment.said(service)
        lines = [json.loads(line) for line in deployment.said(service).splitlines()]
        assert lines, service
        assert KEY.hex() not in deployment.said(service)
