"""A node that mines when the test says so, and its funded accounts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from eth_account import Account
from hexbytes import HexBytes

from chain.calls import Call
from chain.fees import DynamicFee
from chain.gateway import ContractGateway
from chain.node import Node
from chain.signer import TransactionRequest, TransactionSigner
from chain.transactions import Receipt, SendOutcome, find_receipt, send_raw
from contracts.deployment import create_commit_chain, deploy_libraries
from contracts.development import DEVELOPMENT_MNEMONIC
from contracts.sending import Sender
from protocol.editions import ContractEdition
from simulation.node_proxy import NodeProxy, node_proxy
from stack.node import AnvilNode
from tests.edition import artefacts_of

GWEI = 10**9


@cache
def account_key(index: int) -> bytes:
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(DEVELOPMENT_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return bytes(account.key)


class Chain:
    """A development node under the test's control."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def rpc(self, method: str, *params: object) -> object:
        answer = self.node.w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    @contextmanager
    def mining_at_once(self) -> Iterator[None]:
        """Every transaction gets its own block while this lasts."""
        self._mine_at_once(wanted=True)
        yield
        self._mine_at_once(wanted=False)

    def _mine_at_once(self, *, wanted: bool) -> None:
        self.rpc("evm_setAutomine", wanted)

    @contextmanager
    def mining_every(self, seconds: float) -> Iterator[None]:
        """Blocks come by themselves while this lasts."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(seconds):
                self.mine()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def mine_to(self, block: int) -> None:
        """Mine until `block` is the head."""
        missing = block - self.node.head().number
        assert missing >= 0, "the chain is past that block"
        if missing:
            self.mine(missing)

    def mark(self) -> object:
        """A point to which `return_to` throws the chain back."""
        return self.rpc("evm_snapshot")

    def return_to(self, mark: object) -> None:
        """Drop every block since the mark; blocks mined from here on get other hashes."""
        assert self.rpc("evm_revert", mark)
        self.rpc("evm_increaseTime", 17)

    def send(self, signer: TransactionSigner, call: Call, *, gas_limit: int = 2_000_000) -> bytes:
        """Put a call into the pool; returns its hash."""
        signed = signer.sign(
            TransactionRequest(
                chain_id=self.node.require_chain(),
                nonce=int(
                    self.node.w3.eth.get_transaction_count(
                        self.node.w3.to_checksum_address(signer.address), "pending"
                    )
                ),
                to=call.to,
                value=call.value,
                data=call.data,
                gas_limit=gas_limit,
                fee=DynamicFee(100 * GWEI, GWEI),
            )
        )
        assert send_raw(self.node, signed.raw) is SendOutcome.ACCEPTED
        return signed.tx_hash

    def execute(self, signer: TransactionSigner, call: Call) -> Receipt:
        """Send a call and mine it."""
        tx_hash = self.send(signer, call)
        self.mine()
        receipt = find_receipt(self.node, tx_hash)
        assert receipt is not None, HexBytes(tx_hash).hex()
        return receipt


@pytest.fixture
def chain(anvil: AnvilNode) -> Chain:
    return Chain(Node(anvil.url, chain_id=anvil.chain_id))


@pytest.fixture
def node(chain: Chain) -> Node:
    return chain.node


@pytest.fixture
def operator() -> TransactionSigner:
    return TransactionSigner(account_key(0))


@pytest.fixture
def holder() -> TransactionSigner:
    return TransactionSigner(account_key(1))


@pytest.fixture(scope="session")
def libraries(anvil: AnvilNode, edition: ContractEdition) -> dict[str, bytes]:
    """The commit-chain's libraries, which keep no state and serve every test."""
    chain = Chain(Node(anvil.url))
    with chain.mining_at_once():
        sender = Sender(chain.node.w3, account_key(9))
        found, _ = deploy_libraries(sender, artefacts=artefacts_of(edition))
    return found


@pytest.fixture
def gateway(
    chain: Chain,
    libraries: dict[str, bytes],
    operator: TransactionSigner,
    edition: ContractEdition,
) -> ContractGateway:
    """A commit-chain with eons of 60 blocks, in its first eon."""
    with chain.mining_at_once():
        deployed = create_commit_chain(
            Sender(chain.node.w3, account_key(0)),
            blocks_per_eon=60,
            operator=operator.address,
            libraries=libraries,
            artefacts=artefacts_of(edition),
        )
    return ContractGateway(chain.node, deployed.address)


@pytest.fixture
def proxied(anvil: AnvilNode) -> Iterator[tuple[NodeProxy, Node]]:
    with node_proxy(anvil.url) as proxy:
        yield proxy, Node(proxy.url, timeout_s=1.0)
