"""The committed artefacts are what the sources compile to, under the published interface."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from contracts.artefacts import (
    ARTEFACTS,
    COMMIT_CHAIN,
    PUBLISHED_ARTEFACTS,
    UnknownArtefact,
    commit_chain_abi,
    load_artefact,
)

from .conftest import ROOT

PUBLISHED = Path(__file__).parent / "published-abi.json"
SELECTORS = Path(__file__).parent / "published-selectors.json"
ADDITIONS = {
    "EDITION()",
    "WithdrawalSlashed(address,address,uint256,uint256,uint256)",
    "TokenRegistered(address,uint64)",
    "ChallengeAnswered(address,address,address)",
    "FundsRecovered(address,address,uint256)",
}


def _signature(item: dict[str, Any]) -> str:
    kinds = ",".join(entry["type"] for entry in item.get("inputs", []))
    return f"{item.get('name', item['type'])}({kinds})"


def _shape(item: dict[str, Any]) -> tuple[object, ...]:
    """Everything a client relies on: kinds, names, order, indexing, mutability."""
    inputs = [(i["type"], i["name"], i.get("indexed")) for i in item.get("inputs", [])]
    outputs = [(o["type"], o["name"]) for o in item.get("outputs", [])]
    return item["type"], inputs, outputs, item.get("stateMutability"), item.get("anonymous")


def _by_signature(abi: list[dict[str, Any]]) -> dict[str, tuple[object, ...]]:
    return {_signature(item): _shape(item) for item in abi}


def require_fresh(committed_in: Path, build_in: Path, *options: str) -> None:
    """Compile all sources; every artefact must come out as it is committed."""
    subprocess.run(
        ["node", "contracts/build.mjs", "--out", str(build_in), *options],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    fresh = {path.name: path.read_bytes() for path in build_in.glob("*.json")}
    committed = {path.name: path.read_bytes() for path in committed_in.glob("*.json")}
    assert fresh.keys() == committed.keys() and fresh == committed


def test_the_artefacts_equal_a_fresh_build(tmp_path: Path) -> None:
    require_fresh(ARTEFACTS, tmp_path)


def test_the_interface_is_the_published_one_and_its_five_additions() -> None:
    published = _by_signature(json.loads(PUBLISHED.read_text()))
    ours = _by_signature(commit_chain_abi())
    assert {name: ours.get(name) for name in published} == published
    assert ours.keys() - published.keys() == ADDITIONS


def test_the_test_edition_has_the_published_interface_and_a_fallback() -> None:
    published = _by_signature(json.loads(PUBLISHED.read_text()))
    theirs = _by_signature(load_artefact(COMMIT_CHAIN, PUBLISHED_ARTEFACTS)["abi"])
    assert theirs.pop("fallback()")[3] == "payable"
    assert theirs == published


def test_selectors_and_topics_are_the_published_ones() -> None:
    published = json.loads(SELECTORS.read_text())
    ours = {_signature(item): item for item in commit_chain_abi()}
    for function in published["functions"]:
        selector = Web3.keccak(text=_signature(ours[function["signature"]]))[:4]
        assert selector.to_0x_hex() == function["selector"]
    for event in published["events"]:
        item = ours[event["signature"]]
        assert Web3.keccak(text=_signature(item)).to_0x_hex() == event["topic0"]
        assert [i["name"] for i in item["inputs"] if i["indexed"]] == event["indexed"]


def test_every_contract_fits_the_size_limit() -> None:
    sizes = {path.stem: load_artefact(path.stem)["runtimeBytes"] for path in ARTEFACTS.iterdir()}
    assert len(sizes) >= 8
    assert {name: size for name, size in sizes.items() if size > 24_576} == {}


def test_an_unknown_artefact_is_named() -> None:
    with pytest.raises(UnknownArtefact, match="Nothing"):
        load_artefact("Nothing")
