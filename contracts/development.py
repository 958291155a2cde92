"""The development chain: fixed accounts, and contracts at the addresses that wallets expect."""

from dataclasses import dataclass, field
from typing import Final

from eth_abi.abi import encode
from eth_account import Account
from eth_utils.abi import function_signature_to_4byte_selector
from web3 import Web3
from web3.exceptions import BadFunctionCallOutput, ContractLogicError
from web3.types import Nonce
from web3.utils.address import get_create_address

from contracts.artefacts import commit_chain_abi
from contracts.deployment import (
    create_commit_chain,
    create_token,
    deploy_libraries,
    require_suited_parameters,
)
from contracts.sending import DeploymentError, Sender

DEVELOPMENT_MNEMONIC: Final = (
    "myth like bonus scare over problem client lizard pioneer submit female collect"
)
"""Public words: everybody has these keys. Only chains without value may know them."""

DEVELOPMENT_CHAIN_ID: Final = 1337
OPERATOR_INDEX: Final = 0
LIBRARIES_INDEX: Final = 9
COMMIT_CHAIN_NONCE: Final = 6
TOKEN_NONCE: Final = 7
TOKEN_NAME: Final = "Liquidity"
TOKEN_SYMBOL: Final = "LQD"
TOKEN_SUPPLY: Final = 10**27
"""Units: a thousand million LQD, all of them the operator's at first."""


SHARE_INDICES: Final = (1, 2, 3, 4)
SHARE: Final = 10**24
"""Units of LQD with which these accounts begin: they trade in demonstrations and tests."""


class NonceTaken(DeploymentError):
    """The operator's nonce for a contract was used for something else: start from a new chain."""


class UnexpectedDeployment(DeploymentError):
    """Something else than the wanted contract stands at its address."""


@dataclass(frozen=True, slots=True)
class DevelopmentAccount:
    """One account of the mnemonic. The key is left out of the representation."""

    index: int
    address: bytes
    private_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DevelopmentChain:
    """Where the development contracts are; addresses are 20 bytes."""

    commit_chain: bytes
    token: bytes
    genesis_block: int


def development_account(index: int, mnemonic: str = DEVELOPMENT_MNEMONIC) -> DevelopmentAccount:
    """Account `index` of a mnemonic, on the path m/44'/60'/0'/0/index."""
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(mnemonic, account_path=f"m/44'/60'/0'/0/{index}")
    return DevelopmentAccount(index, bytes.fromhex(account.address[2:]), bytes(account.key))


def contract_address(creator: bytes, nonce: int) -> bytes:
    """The address of the contract that `creator` creates with its transaction number `nonce`."""
    created = get_create_address(Web3.to_checksum_address(creator), Nonce(nonce))
    return bytes.fromhex(created[2:])


def deploy_development_chain(
    w3: Web3,
    mnemonic: str = DEVELOPMENT_MNEMONIC,
    *,
    blocks_per_eon: int,
    confirmations: int = 3,
) -> DevelopmentChain:
    """Brings the commit-chain and LQD to their addresses; what is there already stays.

    May be repeated, also after an interruption. Raises UnsuitedParameters, NonceTaken,
    UnexpectedDeployment, TransactionFailed.
    """
    require_suited_parameters(blocks_per_eon=blocks_per_eon, confirmations=confirmations)
    account = development_account(OPERATOR_INDEX, mnemonic)
    operator = Sender(w3, account.private_key)
    commit_chain = contract_address(account.address, COMMIT_CHAIN_NONCE)
    token = contract_address(account.address, TOKEN_NONCE)
    if not w3.eth.get_code(Web3.to_checksum_address(commit_chain)):
        _advance(operator, COMMIT_CHAIN_NONCE)
        libraries_key = development_account(LIBRARIES_INDEX, mnemonic).private_key
        libraries, _ = deploy_libraries(Sender(w3, libraries_key))
        create_commit_chain(
            operator,
            blocks_per_eon=blocks_per_eon,
            operator=account.address,
            libraries=libraries,
        )
    genesis_block = _require_commit_chain(w3, commit_chain, account.address, blocks_per_eon)
    if not w3.eth.get_code(Web3.to_checksum_address(token)):
        _advance(operator, TOKEN_NONCE)
        create_token(operator, TOKEN_NAME, TOKEN_SYMBOL, TOKEN_SUPPLY)
    _require_token(w3, token)
    _share_out(operator, token)
    return DevelopmentChain(commit_chain, token, genesis_block)


def _advance(sender: Sender, nonce: int) -> None:
    """Uses the sender's nonces before `nonce` up with transfers to itself."""
    while (used := sender.next_nonce()) < nonce:
        sender.send(to=bytes.fromhex(sender.address[2:]))
    if used > nonce:
        raise NonceTaken(
            f"account {sender.address} is at nonce {used}, but the contract that wallets expect"
            f" needs nonce {nonce}; clear the development chain and start again"
        )


def _share_out(operator: Sender, token: bytes) -> None:
    """Uses the nonces after the token's for the shares; an operator beyond them has done it."""
    for number, index in enumerate(SHARE_INDICES, TOKEN_NONCE + 1):
        if operator.next_nonce() == number:
            send_share(operator, token, index)


def send_share(owner: Sender, token: bytes, index: int) -> None:
    """Gives development account `index` its share of a token."""
    arguments = encode(["address", "uint256"], [development_account(index).address, SHARE])
    call = function_signature_to_4byte_selector("transfer(address,uint256)") + arguments
    owner.send(to=token, data="0x" + call.hex())


def _require_commit_chain(w3: Web3, address: bytes, operator: bytes, blocks_per_eon: int) -> int:
    """The genesis block of the commit-chain at `address`, if it is the one that is wanted."""
    contract = w3.eth.contract(Web3.to_checksum_address(address), abi=commit_chain_abi())
    wanted = (Web3.to_checksum_address(operator), blocks_per_eon)
    try:
        contract.functions.EDITION().call()
        found = (
            contract.functions.operator().call(),
            contract.functions.BLOCKS_PER_EON().call(),
        )
        genesis_block = contract.functions.genesis().call()
    except (BadFunctionCallOutput, ContractLogicError) as error:
        raise UnexpectedDeployment(f"{contract.address} is not our commit-chain") from error
    if found != wanted:
        raise UnexpectedDeployment(
            f"{contract.address} has operator and blocks per eon {found}, not {wanted}"
        )
    return int(genesis_block)


def _require_token(w3: Web3, address: bytes) -> None:
    """Raises UnexpectedDeployment unless an LQD token stands at `address`."""
    abi = [
        {
            "type": "function",
            "name": "symbol",
            "inputs": [],
            "outputs": [{"name": "", "type": "string"}],
            "stateMutability": "view",
        }
    ]
    contract = w3.eth.contract(Web3.to_checksum_address(address), abi=abi)
    try:
        symbol = contract.functions.symbol().call()
    except (BadFunctionCallOutput, ContractLogicError) as error:
        raise UnexpectedDeployment(f"{contract.address} is not a token") from error
    if symbol != TOKEN_SYMBOL:
        raise UnexpectedDeployment(f"{contract.address} is the token {symbol}")
