"""Deployment to any node, and the development chain's fixed addresses."""

import subprocess

import pytest
from click.testing import CliRunner
from web3 import Web3

from commands.deploy_contract import deploy_contract
from contracts.artefacts import commit_chain_abi
from contracts.deployment import UnsuitedParameters, deploy_commit_chain, deploy_token
from contracts.development import (
    NonceTaken,
    UnexpectedDeployment,
    contract_address,
    deploy_development_chain,
    development_account,
)
from contracts.sending import Sender

from .conftest import ROOT
from .harness import checksum

COMMIT_CHAIN = "0x9561C133DD8580860B6b7E504bC5Aa500f0f06a7"
LQD = "0xe982E462b094850F12AF94d21D470e21bE9D0E9C"


def test_the_development_contracts_land_where_wallets_expect_them(pristine: Web3) -> None:
    deployed = deploy_development_chain(pristine, blocks_per_eon=60)
    assert checksum(deployed.commit_chain) == COMMIT_CHAIN
    assert checksum(deployed.token) == LQD
    contract = pristine.eth.contract(COMMIT_CHAIN, abi=commit_chain_abi())
    assert contract.functions.genesis().call() == deployed.genesis_block


def test_a_second_development_deployment_changes_nothing(pristine: Web3) -> None:
    first = deploy_development_chain(pristine, blocks_per_eon=60)
    head = pristine.eth.block_number
    assert deploy_development_chain(pristine, blocks_per_eon=60) == first
    assert pristine.eth.block_number == head


def test_an_interrupted_development_deployment_is_completed(pristine: Web3) -> None:
    operator = Sender(pristine, development_account(0).private_key)
    for _ in range(3):
        operator.send(to=development_account(0).address)
    deployed = deploy_development_chain(pristine, blocks_per_eon=60)
    assert checksum(deployed.token) == LQD


def test_a_used_nonce_is_named(pristine: Web3) -> None:
    operator = Sender(pristine, development_account(0).private_key)
    for _ in range(7):
        operator.send(to=development_account(0).address)
    with pytest.raises(NonceTaken, match="nonce 7"):
        deploy_development_chain(pristine, blocks_per_eon=60)


def test_another_contract_at_the_address_is_named(pristine: Web3) -> None:
    pristine.provider.make_request("anvil_setCode", [COMMIT_CHAIN, "0x00"])  # type: ignore[arg-type]
    with pytest.raises(UnexpectedDeployment, match=COMMIT_CHAIN):
        deploy_development_chain(pristine, blocks_per_eon=60)


def test_a_development_chain_with_another_eon_length_is_named(pristine: Web3) -> None:
    deploy_development_chain(pristine, blocks_per_eon=60)
    with pytest.raises(UnexpectedDeployment, match="60"):
        deploy_development_chain(pristine, blocks_per_eon=180)


@pytest.mark.parametrize(
    ("blocks_per_eon", "confirmations"), [(11, 0), (2**48, 0), (60, 5), (60, -1), (4320, 538)]
)
def test_unsuited_parameters_are_refused_before_anything_is_sent(
    w3: Web3, blocks_per_eon: int, confirmations: int
) -> None:
    account = development_account(5)
    before = w3.eth.get_transaction_count(checksum(account.address))
    with pytest.raises(UnsuitedParameters):
        deploy_commit_chain(
            w3, account.private_key, blocks_per_eon=blocks_per_eon, confirmations=confirmations
        )
    assert w3.eth.get_transaction_count(checksum(account.address)) == before


def test_a_deployment_names_address_genesis_libraries_and_operator(w3: Web3) -> None:
    account = development_account(5)
    deployed = deploy_commit_chain(w3, account.private_key, blocks_per_eon=60, confirmations=4)
    contract = w3.eth.contract(checksum(deployed.address), abi=commit_chain_abi())
    assert contract.functions.operator().call() == checksum(account.address)
    assert contract.functions.genesis().call() == deployed.genesis_block == w3.eth.block_number
    assert all(w3.eth.get_code(checksum(library)) for library in deployed.libraries.values())
    assert deployed.gas_used > 1_000_000


def test_a_token_belongs_to_its_deployer(w3: Web3) -> None:
    account = development_account(6)
    nonce = w3.eth.get_transaction_count(checksum(account.address))
    token = deploy_token(w3, account.private_key, "Name", "SYM", 123)
    assert token == contract_address(account.address, nonce)


def test_keys_hide_from_representations(w3: Web3) -> None:
    account = development_account(5)
    shown = repr(account) + repr(Sender(w3, account.private_key))
    assert account.private_key.hex() not in shown
    assert repr(account.private_key) not in shown


def _run(w3: Web3, *arguments: str, key: str | None) -> tuple[int, str]:
    url = str(w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    environment = {"HUB_OWNER_ACCOUNT_KEY": key}
    result = CliRunner().invoke(deploy_contract, ["--node-url", url, *arguments], env=environment)
    return result.exit_code, result.output


def test_the_command_prints_what_an_operator_needs(w3: Web3) -> None:
    key = development_account(5).private_key.hex()
    code, output = _run(w3, "--blocks-per-eon", "60", "--confirmations", "3", key=key)
    assert code == 0, output
    genesis = w3.eth.block_number
    assert key not in output
    for fact in ("1337", str(genesis), str(genesis + 59), "Withdrawals", "60", "15", "20"):
        assert fact in output


def test_the_command_refuses_an_eon_that_leaves_no_time(w3: Web3) -> None:
    key = development_account(5).private_key.hex()
    code, output = _run(w3, "--blocks-per-eon", "60", "--confirmations", "20", key=key)
    assert code != 0
    assert "eon too short" in output and "184" in output


def test_the_command_takes_the_key_from_the_environment_only(w3: Web3) -> None:
    code, output = _run(w3, "--blocks-per-eon", "60", key="")
    assert code != 0
    assert "HUB_OWNER_ACCOUNT_KEY" in output
    code, output = _run(w3, "--blocks-per-eon", "60", key="not a key")
    assert code != 0
    assert "not a key" not in output


def test_the_command_refuses_a_key_of_somebody_else(w3: Web3) -> None:
    account, other = development_account(5), development_account(6)
    key = account.private_key.hex()
    arguments = ["--blocks-per-eon", "60", "--confirmations", "3", "--owner"]
    code, output = _run(w3, *arguments, checksum(other.address), key=key)
    assert code != 0
    assert "does not belong" in output and key not in output
    code, output = _run(w3, *arguments, "0x12", key=key)
    assert code != 0 and "not an address" in output
    code, output = _run(w3, *arguments, checksum(account.address), key=key)
    assert code == 0, output


def _run_script(*lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "deploy_contract.sh"],
        cwd=ROOT,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_script_asks_for_everything_and_deploys(w3: Web3) -> None:
    account = development_account(5)
    key = account.private_key.hex()
    url = str(w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    done = _run_script(url, checksum(account.address), key, "184")
    assert done.returncode == 0, done.stderr
    assert "first checkpoint" in done.stdout and "1337" in done.stdout
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize("given", [(), ("http://127.0.0.1:1",), ("http://127.0.0.1:1", "0x1")])
def test_the_script_takes_no_empty_answer(given: tuple[str, ...]) -> None:
    assert _run_script(*given, "").returncode == 3
