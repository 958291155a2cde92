"""The development chain: our contracts on the embedded node, at the addresses that wallets know."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from contracts.development import DevelopmentChain, deploy_development_chain
from protocol.address import checksum_address
from settings import Settings
from stack.errors import NotReady, StackError
from stack.node import AnvilNode

SAVE_TIMEOUT_S = 30.0
REQUEST_TIMEOUT_S = 10.0


def deploy_contracts(node: AnvilNode, settings: Settings) -> DevelopmentChain:
    """Deploy what is missing and check that it stands where the settings expect it. Blocks.

    Raises `StackError` when the settings name other contracts than the development chain's.
    """
    w3 = Web3(HTTPProvider(node.url, request_kwargs={"timeout": REQUEST_TIMEOUT_S}))
    began = time.time()
    with _blocks_at_once(w3, node):
        chain = deploy_development_chain(
            w3, blocks_per_eon=settings.blocks_per_eon, confirmations=settings.confirmations
        )
    if (chain.commit_chain, chain.token) != (settings.contract_address, settings.sla_token_address):
        raise StackError(
            "HUB_LQD_CONTRACT_ADDRESS and SLA_TOKEN_ADDRESS name other contracts than the "
            f"development chain's {checksum_address(chain.commit_chain)} and "
            f"{checksum_address(chain.token)}; unset them or set HUB_ETHEREUM_NODE_URL"
        )
    if w3.eth.block_number < chain.genesis_block + settings.blocks_per_eon:
        _wait_saved(node, began)
    return chain


@contextmanager
def _blocks_at_once(w3: Web3, node: AnvilNode) -> Iterator[None]:
    """Mine each transaction as it comes: a dozen of them would take half a minute otherwise."""
    w3.provider.make_request(RPCEndpoint("evm_setAutomine"), [True])
    try:
        yield
    finally:
        if node.block_time_s is None:
            w3.provider.make_request(RPCEndpoint("evm_setAutomine"), [False])
        else:
            w3.provider.make_request(RPCEndpoint("evm_setIntervalMining"), [node.block_time_s])


def _wait_saved(node: AnvilNode, since: float) -> None:
    """Let a fresh deployment reach the disk: a kill may cost blocks, but never the contract."""
    deadline = time.monotonic() + SAVE_TIMEOUT_S
    while node.saved_at() < since:
        if time.monotonic() > deadline:
            raise NotReady(f"the node has not saved its state for {SAVE_TIMEOUT_S} s")
        time.sleep(0.1)
