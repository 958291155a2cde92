"""The interface that we encode is the published one and what our own contract adds to it."""

import json
from pathlib import Path
from typing import Any

from chain.abi import HARDENED_ADDITIONS, contract_abi, events, functions
from contracts.artefacts import commit_chain_abi

SELECTORS = json.loads((Path(__file__).parent / "published_selectors.json").read_text())


def test_every_published_selector_and_output_is_ours() -> None:
    for published in SELECTORS["functions"]:
        ours = functions()[published["name"]]
        assert f"0x{ours.selector.hex()}" == published["selector"], published["name"]
        assert list(ours.outputs) == published["outputs"], published["name"]
    assert set(functions()) - {one["name"] for one in SELECTORS["functions"]} == {"EDITION"}


def test_every_published_event_has_its_topic_and_its_indexed_parameters() -> None:
    for published in SELECTORS["events"]:
        ours = events()[bytes.fromhex(published["topic0"][2:])]
        assert [name for name, _ in ours.indexed] == published["indexed"]
        assert [name for name, _ in ours.unindexed] == published["data"]


def _face(abi: list[dict[str, Any]]) -> set[str]:
    return {
        json.dumps(
            [
                item["type"],
                item.get("name"),
                [(p["name"], p["type"], p.get("indexed")) for p in item.get("inputs", [])],
                [p["type"] for p in item.get("outputs", [])],
                item.get("stateMutability"),
            ]
        )
        for item in abi
    }


def test_our_contract_offers_nothing_that_we_encode_differently() -> None:
    compiled = _face(commit_chain_abi())
    assert compiled <= _face(list(contract_abi()))
    assert _face(list(HARDENED_ADDITIONS)) <= compiled


def test_call_data_reads_back_to_its_arguments() -> None:
    deposit = functions()["deposit"]
    arguments = (bytes(range(20)), b"\xab" * 20, 2**256 - 1)
    assert deposit.arguments(deposit.encode(*arguments)) == arguments
