"""Deploys the commit-chain with its libraries, and plain tokens, to any node."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode
from web3 import Web3

from contracts.artefacts import ARTEFACTS, COMMIT_CHAIN, DEVELOPMENT_TOKEN, load_artefact
from contracts.sending import DeploymentError, Sender

SHORTEST_EON: Final = 12
"""Blocks of the shortest eon that the contract accepts."""

LARGEST_EON: Final = 2**48 - 1

SUBMISSION_MARGIN: Final = 5
"""Blocks between the closing of an eon and its checkpoint on chain that have to be left."""


class UnsuitedParameters(DeploymentError):
    """Parameters with which the chain could not be operated."""


@dataclass(frozen=True, slots=True)
class DeployedContract:
    """A deployed commit-chain; addresses are 20 bytes, `gas_used` sums all its transactions."""

    address: bytes
    genesis_block: int
    libraries: dict[str, bytes]
    gas_used: int


def require_suited_parameters(*, blocks_per_eon: int, confirmations: int) -> None:
    """Raises UnsuitedParameters unless checkpoints can be in time.

    A checkpoint is built twice the confirmation depth into its eon and has to be on chain within
    the slack period, a quarter of the eon: `2 * confirmations + 5 < blocks_per_eon // 4`.
    """
    if not SHORTEST_EON <= blocks_per_eon <= LARGEST_EON:
        raise UnsuitedParameters(
            f"an eon has at least {SHORTEST_EON} blocks, {blocks_per_eon} were asked for"
        )
    needed = 2 * confirmations + SUBMISSION_MARGIN
    if confirmations < 0 or needed >= blocks_per_eon // 4:
        raise UnsuitedParameters(
            f"eon too short: with {confirmations} confirmations a checkpoint needs {needed} blocks,"
            f" and a quarter of {blocks_per_eon} has to be more than that; take at least"
            f" {4 * (needed + 1)} blocks per eon"
        )


def link(artefact: dict[str, Any], libraries: dict[str, bytes]) -> str:
    """The bytecode of `artefact`, hex with `0x`, with the libraries' addresses filled in."""
    code = bytearray.fromhex(_without_placeholders(artefact))
    for library, offsets in artefact["linkReferences"].items():
        for offset in offsets:
            code[offset : offset + 20] = libraries[library]
    return "0x" + code.hex()


def _without_placeholders(artefact: dict[str, Any]) -> str:
    """Bytecode digits whose library placeholders, which are no hex, are zeros."""
    digits = artefact["bytecode"][2:]
    for offsets in artefact["linkReferences"].values():
        for offset in offsets:
            digits = digits[: 2 * offset] + 40 * "0" + digits[2 * offset + 40 :]
    return str(digits)


def deploy_libraries(
    sender: Sender, name: str = COMMIT_CHAIN, *, artefacts: Path = ARTEFACTS
) -> tuple[dict[str, bytes], int]:
    """Deploys the libraries that the contract `name` links: their addresses, and the gas used."""
    libraries: dict[str, bytes] = {}
    gas_used = 0
    for library in load_artefact(name, artefacts)["linkReferences"]:
        nested, nested_gas = deploy_libraries(sender, library, artefacts=artefacts)
        receipt = sender.send(to=None, data=link(load_artefact(library, artefacts), nested))
        libraries[library] = bytes.fromhex(str(receipt["contractAddress"])[2:])
        gas_used += nested_gas + receipt["gasUsed"]
    return libraries, gas_used


def create_commit_chain(
    sender: Sender,
    *,
    blocks_per_eon: int,
    operator: bytes,
    libraries: dict[str, bytes],
    artefacts: Path = ARTEFACTS,
) -> DeployedContract:
    """Deploys only the commit-chain itself over deployed libraries, in one transaction."""
    arguments = encode(["uint256", "address"], [blocks_per_eon, Web3.to_checksum_address(operator)])
    code = link(load_artefact(COMMIT_CHAIN, artefacts), libraries)
    receipt = sender.send(to=None, data=code + arguments.hex())
    return DeployedContract(
        address=bytes.fromhex(str(receipt["contractAddress"])[2:]),
        genesis_block=receipt["blockNumber"],
        libraries=libraries,
        gas_used=receipt["gasUsed"],
    )


def deploy_commit_chain(
    w3: Web3,
    deployer_key: bytes | str,
    *,
    blocks_per_eon: int,
    confirmations: int,
    operator: bytes | None = None,
) -> DeployedContract:
    """Deploys libraries and commit-chain from one account, and waits until both are mined.

    `operator` is the deployer's account unless given. Checkpoint 1 is due within `blocks_per_eon`
    blocks of the genesis block: the chain halts for good without it.
    Raises UnsuitedParameters before anything is sent, TransactionFailed.
    """
    require_suited_parameters(blocks_per_eon=blocks_per_eon, confirmations=confirmations)
    sender = Sender(w3, deployer_key)
    libraries, libraries_gas = deploy_libraries(sender)
    deployed = create_commit_chain(
        sender,
        blocks_per_eon=blocks_per_eon,
        operator=operator or bytes.fromhex(sender.address[2:]),
        libraries=libraries,
    )
    return DeployedContract(
        address=deployed.address,
        genesis_block=deployed.genesis_block,
        libraries=libraries,
        gas_used=deployed.gas_used + libraries_gas,
    )


def deploy_token(w3: Web3, key: bytes | str, name: str, symbol: str, supply: int) -> bytes:
    """Deploys a plain ERC-20 with 18 decimals whose `supply` units belong to the deployer."""
    return create_token(Sender(w3, key), name, symbol, supply)


def create_token(sender: Sender, name: str, symbol: str, supply: int) -> bytes:
    """As `deploy_token`, from a sender that exists already."""
    arguments = encode(["string", "string", "uint256"], [name, symbol, supply])
    code = load_artefact(DEVELOPMENT_TOKEN)["bytecode"]
    receipt = sender.send(to=None, data=code + arguments.hex())
    return bytes.fromhex(str(receipt["contractAddress"])[2:])
