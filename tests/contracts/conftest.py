"""A node that mines each transaction at once, and fresh commit-chains on it."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from contracts.deployment import deploy_libraries
from contracts.development import development_account
from contracts.sending import Sender
from stack.node import AnvilNode
from stack.part import running
from stack.ports import free_port
from stack.process import ProcessSpec

from .harness import ETHER, OPERATOR, A, B, Chain, checksum

ROOT = Path(__file__).parents[2]


class ForgetfulNode(AnvilNode):
    """A node that writes no file: tests mine tens of thousands of blocks, and it would write them
    all again every second."""

    FILE_OPTIONS = ("--state", "--state-interval")

    def spec(self) -> ProcessSpec:
        spec = super().spec()
        kept, words = [], iter(spec.command)
        for word in words:
            if word in self.FILE_OPTIONS:
                next(words)
            else:
                kept.append(word)
        return replace(spec, command=tuple(kept))


@contextmanager
def node_running(folder: Path) -> Iterator[Web3]:
    node = ForgetfulNode(folder, free_port(), block_time_s=None)
    with running(node, folder / "node.log"):
        client = Web3(Web3.HTTPProvider(node.url))
        client.provider.make_request("evm_setAutomine", [True])  # type: ignore[arg-type]
        yield client


@pytest.fixture(scope="session")
def w3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web3]:
    """The session's node: every transaction is mined at once, in a block of its own."""
    with node_running(tmp_path_factory.mktemp("contracts-node")) as client:
        yield client


@pytest.fixture
def pristine(tmp_path: Path) -> Iterator[Web3]:
    """A node of the test's own on which nobody has sent anything."""
    with node_running(tmp_path) as client:
        yield client


@pytest.fixture(scope="session")
def libraries(w3: Web3) -> dict[str, bytes]:
    deployed, _ = deploy_libraries(Sender(w3, development_account(9).private_key))
    return deployed


@pytest.fixture
def chain(w3: Web3, libraries: dict[str, bytes]) -> Chain:
    """A fresh commit-chain in its genesis block."""
    return Chain(w3, libraries)


@pytest.fixture
def base(chain: Chain) -> Chain:
    """A and B deposited 10 ether each in eon 1; the checkpoints of eons 2 and 3 say so."""
    chain.at(1, 2).deposit(A, 10 * ETHER)
    chain.deposit(B, 10 * ETHER)
    chain.at(1, 10).commit()
    chain.commit_each(2, 3, 1, {chain.ether: [(A.address, 10 * ETHER), (B.address, 10 * ETHER)]})
    return chain


@pytest.fixture(scope="session")
def helper_artefacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The tests' own contracts, compiled: tokens and wallets that behave in unusual ways."""
    out = tmp_path_factory.mktemp("helpers")
    source = Path(__file__).parent / "sources"
    subprocess.run(
        ["node", "contracts/build.mjs", "--src", str(source), "--out", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return {path.stem: json.loads(path.read_text()) for path in out.glob("*.json")}


@pytest.fixture
def deploy_helper(w3: Web3, helper_artefacts: dict[str, dict[str, Any]]) -> Callable[..., Any]:
    """Deploys one of the tests' own contracts and gives it back ready to call."""

    def deploy(name: str, *arguments: object) -> Any:
        artefact = helper_artefacts[name]
        creation = w3.eth.contract(abi=artefact["abi"], bytecode=artefact["bytecode"])
        tx_hash = creation.constructor(*arguments).transact(
            {"from": checksum(OPERATOR.address), "gas": 3_000_000}
        )
        receipt = w3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.005)
        return w3.eth.contract(receipt["contractAddress"], abi=artefact["abi"])

    return deploy
