"""The contract's own verifier accepts the recorded proofs and signatures, and no altered ones."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.exceptions import ContractLogicError

from contracts.artefacts import commit_chain_abi
from contracts.development import deploy_development_chain

from .conftest import node_running
from .harness import checksum

VECTORS = Path(__file__).parents[1] / "vectors"


def cases(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    found = json.loads((VECTORS / f"{name}.json").read_text())["cases"]
    assert found
    return [(case["inputs"], case["expected"]) for case in found]


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The functions of a commit-chain at the address that the vectors were recorded with."""
    with node_running(tmp_path_factory.mktemp("vectors-node")) as w3:
        deployed = deploy_development_chain(w3, blocks_per_eon=60)
        address = checksum(deployed.commit_chain)
        yield w3.eth.contract(address, abi=commit_chain_abi()).functions


def words(text: str) -> list[bytes]:
    data = bytes.fromhex(text)
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")] if text else []


def digest(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def split(signature: str) -> tuple[bytes, bytes, int]:
    data = bytes.fromhex(signature)
    return data[:32], data[32:64], data[64]


def altered(word: bytes) -> bytes:
    return bytes([word[0] ^ 1]) + word[1:]


def test_every_recorded_allotment_proof_is_accepted(functions: Any) -> None:
    proven = 0
    for inputs, expected in cases("balance_tree"):
        upper_bound = int(inputs["upper_bound"])
        token = Web3.solidity_keccak(
            ["uint256", "bytes32", "uint256"], [0, digest(expected["root"]), upper_bound]
        )
        owned = [*inputs["balances"], *filter(None, [inputs["unclaimed_owner_leaf"]])]
        for trail, (leaf, proof) in enumerate(zip(owned, expected["proofs"], strict=True)):
            node = digest(expected["leaf_hashes"][trail])
            values = numbers(proof["values"])
            edges = [int(leaf["left"]), int(leaf["right"])]
            call = functions.verifyProofOfExclusiveBalanceAllotment
            rest = (words(proof["chain"]), [], values, edges)
            assert call(trail, 0, node, token, *rest).call() == upper_bound
            with pytest.raises(ContractLogicError):
                call(trail, 0, altered(node), token, *rest).call()
            with pytest.raises(ContractLogicError):
                call(trail + 2 ** len(values), 0, node, token, *rest).call()
            proven += 1
    assert proven > 50


def test_every_recorded_checkpoint_joins_its_balance_trees(functions: Any) -> None:
    for inputs, expected in cases("checkpoint"):
        root = digest(expected["checkpoint_root"])
        for token, committed in zip(inputs["tokens"], expected["tokens"], strict=True):
            leaf = Web3.solidity_keccak(
                ["uint256", "bytes32", "uint256"],
                [0, digest(committed["balance_root"]), int(token["upper_bound"])],
            )
            chain = words(committed["membership_hashes"])
            call = functions.verifyProofOfMembership
            assert call(token["trail"], chain, leaf, root).call()
            assert not call(token["trail"], chain, altered(leaf), root).call()
            assert not call(token["trail"] + 2 ** len(chain), chain, leaf, root).call()


@pytest.mark.parametrize("name", ["token_tree", "tx_set_tree"])
def test_every_recorded_plain_proof_is_accepted(functions: Any, name: str) -> None:
    for inputs, expected in cases(name):
        leaves = expected["leaf_hashes"] if name == "token_tree" else inputs["leaves"]
        root = digest(expected["root"])
        proofs = expected["proofs"]
        # Large sets record the proofs of some leaves only, by index.
        by_trail = proofs if isinstance(proofs, dict) else dict(enumerate(proofs))
        for trail, proof in by_trail.items():
            leaf = digest(leaves[int(trail)])
            call = functions.verifyProofOfMembership(int(trail), words(proof), leaf, root)
            assert call.call()


def test_every_recorded_passive_delivery_is_accepted(functions: Any) -> None:
    for inputs, expected in cases("passive_tree"):
        root = digest(expected["root"])
        for trail, transfer in enumerate(inputs["transfers"]):
            proof = expected["proofs"][trail]
            edges = [value.to_bytes(32, "big") for value in numbers(proof["values"])]
            left = int(transfer["position"])
            span = [left, left + int(transfer["amount"])]
            node = digest(expected["payloads"][trail])
            call = functions.verifyProofOfPassiveDelivery
            chain = words(proof["chain"]) + edges
            assert call(trail, node, root, chain, span).call() == int(inputs["upper_bound"])
            with pytest.raises(ContractLogicError, match="n"):
                call(trail, altered(node), root, chain, span).call()


def test_recovery_accepts_high_s_and_refuses_other_recovery_ids(functions: Any) -> None:
    for inputs, expected in cases("signature_verification"):
        accepted = expected["original_server_accepts"] and "v + 2" not in inputs["kind"]
        message = digest(inputs["message"])
        signer = functions.signedMessageECRECOVER(message, *split(inputs["wire_signature"])).call()
        assert (signer.lower() == inputs["address"].lower()) == accepted, inputs["kind"]


def test_every_recorded_active_state_is_agreed_to(functions: Any) -> None:
    for inputs, expected in cases("active_state"):
        call = functions.verifyProofOfActiveStateUpdateAgreement(
            inputs["token"],
            inputs["wallet"],
            inputs["trail_identifier"] or 0,
            inputs["eon_number"],
            digest(inputs["tx_set_hash"]),
            [int(inputs["updated_spendings"]), int(inputs["updated_gains"])],
            inputs["wallet"],
            *split(expected["wallet_signature"]),
        )
        if inputs["contract"].lower() == call.address.lower():
            assert call.call() == digest(expected["checksum"])
        else:
            with pytest.raises(ContractLogicError, match="A"):
                call.call()


def test_every_recorded_withdrawal_authorisation_is_valid(functions: Any) -> None:
    for inputs, expected in cases("delegated_withdrawal_contract"):
        amount = int(inputs["amount"]) + int(inputs["already_pending"])
        parts = split(expected["signature"])
        arguments = (inputs["token"], inputs["wallet"], int(inputs["expiry"]))
        call = functions.verifyWithdrawalAuthorization
        assert call(*arguments, amount, inputs["wallet"], *parts).call()
        with pytest.raises(ContractLogicError, match="a"):
            call(*arguments, amount + 1, inputs["wallet"], *parts).call()
