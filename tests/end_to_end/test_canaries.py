"""Keys and passwords of the test's own are in nothing that an operator at work leaves behind."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from sqlalchemy import text
from temporalio.client import Client
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from contracts.deployment import create_token, deploy_commit_chain
from contracts.sending import Sender
from duties.search_attributes import ALL as SEARCH_ATTRIBUTES
from models.engine import open_engine
from protocol.keccak import keccak256
from protocol.signing import Signer
from stack.node import AnvilNode
from stack.part import running
from stack.parts import ApiServer, Worker
from stack.ports import free_port
from stack.temporal import TemporalDevServer, ensure_namespace
from tests.end_to_end.conftest import READY_TIMEOUT_S, RunningOperator, _mine_until_ready
from wallet.operator_api import OperatorApi
from wallet.wallet import Wallet, open_home

KEY = keccak256(b"a canary that must never sing")
PASSWORD = "canary-password-of-the-keystore"
NODE_PASSWORD = "canary-password-of-the-node"
ADMIN_TOKEN = "canary-secret-of-the-administration"
SECRETS = (PASSWORD, NODE_PASSWORD, ADMIN_TOKEN)
BLOCKS_PER_EON = 48


def songs() -> list[str]:
    """Every secret in the forms in which it could be written, in lower case."""
    spelled = [KEY.hex(), base64.b64encode(KEY).decode(), str(int.from_bytes(KEY)), repr(KEY)]
    spelled += [form for secret in SECRETS for form in (secret, secret.encode().hex())]
    return [form.lower() for form in spelled]


def singing(place: str, said: str) -> list[str]:
    """The place, once for each secret that it gives away."""
    lowered = said.lower()
    return [place for song in songs() if song in lowered]


def decoded(part: Any) -> Iterator[str]:
    """What the payloads of a history say."""
    if isinstance(part, dict):
        if isinstance(part.get("data"), str):
            yield base64.b64decode(part["data"]).decode(errors="replace")
        for inner in part.values():
            yield from decoded(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from decoded(inner)


async def histories(temporal: Client) -> list[str]:
    """The places in the namespace's histories that give a secret away; there must be some lives."""
    found, lives = [], 0
    async for execution in temporal.list_workflows():
        history = await temporal.get_workflow_handle(
            execution.id, run_id=execution.run_id
        ).fetch_history()
        document, lives = history.to_json_dict(), lives + 1
        said = [json.dumps(document), *decoded(document)]
        found += singing(f"history of {execution.id}", "\n".join(said))
    assert lives >= 4
    return found


def tables(database_url: str) -> list[str]:
    """The tables that give a secret away."""
    engine, found = open_engine(database_url, application_name="test"), []
    with engine.connect() as connection:
        names = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        for name in names.all():
            rows = connection.execute(text(f'SELECT t::text FROM "{name}" AS t')).scalars()
            found += singing(f"table {name}", "\n".join(rows.all()))
    engine.dispose()
    return found


def answers(url: str) -> list[str]:
    """What the API says to everybody, and to who has the wrong secret or a bad request."""
    found = []
    for path in ("/health/status", "/health/ready", "/audit/", "/admin/duties", "/admin/switches"):
        for token in (ADMIN_TOKEN, "wrong"):
            request = urllib.request.Request(
                url + path, headers={"Authorization": f"Bearer {token}"}
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    said = answer.read().decode()
            except urllib.error.HTTPError as error:
                said = error.read().decode()
            found += singing(f"GET {path}", said)
    return found


@pytest.mark.timeout(600)
async def test_no_secret_is_in_logs_histories_tables_or_answers(
    chain_node: AnvilNode,
    database_url: str,
    temporal_dev_server: TemporalDevServer,
    parts_folder: Path,
    tmp_path: Path,
) -> None:
    w3 = Web3(HTTPProvider(chain_node.url))
    owner = Signer(KEY).address
    funds = RPCEndpoint("anvil_setBalance")
    w3.provider.make_request(funds, [f"0x{owner.hex()}", hex(10**21)])
    deployed = await asyncio.to_thread(
        deploy_commit_chain, w3, KEY, blocks_per_eon=BLOCKS_PER_EON, confirmations=3
    )
    token = await asyncio.to_thread(create_token, Sender(w3, KEY), "Liquidity", "LQD", 10**27)
    keystore, port = tmp_path / "owner.json", free_port()
    keystore.write_text(json.dumps(Account.encrypt(KEY, PASSWORD, kdf="pbkdf2", iterations=10)))
    environment = {
        "HUB_DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_dev_server.address,
        "TEMPORAL_NAMESPACE": f"canaries-{port}",
        "HUB_ETHEREUM_NODE_URL": chain_node.url.replace("://", f"://hub:{NODE_PASSWORD}@"),
        "HUB_API_PORT": str(port),
        "HUB_LQD_CONTRACT_ADDRESS": deployed.address.hex(),
        "HUB_OWNER_ACCOUNT_ADDRESS": f"0x{owner.hex()}",
        "HUB_OWNER_KEYSTORE_FILE": str(keystore),
        "HUB_OWNER_KEYSTORE_PASSWORD": PASSWORD,
        "HUB_ADMIN_TOKEN": ADMIN_TOKEN,
        "SLA_TOKEN_ADDRESS": token.hex(),
        "HUB_SYNC_POLL_SECONDS": "0.1",
        "HUB_LOG_LEVEL": "debug",
    }
    temporal = await Client.connect(
        temporal_dev_server.address, namespace=environment["TEMPORAL_NAMESPACE"]
    )
    await ensure_namespace(temporal, SEARCH_ATTRIBUTES)
    url = f"http://127.0.0.1:{port}"
    operator = RunningOperator(
        url, chain_node.url, deployed.address, token, database_url, temporal, w3
    )
    logs = [parts_folder / f"{name}-canaries-{port}.log" for name in ("worker", "api")]
    with ExitStack() as processes:
        processes.enter_context(running(Worker(environment), logs[0]))
        api = ApiServer(0, environment, f"{url}/health/ready")
        mining = asyncio.create_task(_mine_until_ready(operator, api))
        await asyncio.to_thread(processes.enter_context, running(api, logs[1], READY_TIMEOUT_S))
        mining.cancel()
        async with OperatorApi(url) as client:
            home = await open_home(client, operator.chain)
            # Countersigned with the key of the keystore, as bootstrap's transaction was signed.
            await Wallet(home, operator.keys(1), operator.contract).register()
            await home.stream.close()
        found = await asyncio.to_thread(answers, url)
        found += await histories(temporal)
    found += await asyncio.to_thread(tables, database_url)
    for log in logs:
        said = log.read_text(errors="replace")
        assert len(said) > 200, log
        found += singing(f"log {log.name}", said)
    assert found == []


def test_a_canary_that_sings_is_heard() -> None:
    for said in (KEY.hex().upper(), f"x{PASSWORD}y", base64.b64encode(KEY).decode()):
        assert singing("somewhere", said) == ["somewhere"]
    payload = {"a": [{"data": base64.b64encode(json.dumps({"k": KEY.hex()}).encode()).decode()}]}
    assert singing("history", "".join(decoded(payload))) == ["history"]
