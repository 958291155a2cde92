"""A node that mines when the test says so, and its funded accounts."""

from collections.abc import Callable, Iterator

import pytest
from eth_account import Account
from hexbytes import HexBytes

from chain.calls import Call
from chain.fees import DynamicFee
from chain.node import Node
from chain.signer import TransactionRequest, TransactionSigner
from chain.transactions import Receipt, SendOutcome, find_receipt, send_raw
from settings import DEVELOPMENT_MNEMONIC
from stack.node import AnvilNode
from tests.chain.fault_proxy import FaultProxy, fault_proxy

GWEI = 10**9


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

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def replace(self, depth: int, *, new_blocks: int | None = None) -> None:
        """Drop the newest `depth` blocks and mine others in their place."""
        self.rpc("anvil_rollback", depth)
        # A later time makes other hashes of otherwise equal blocks.
        self.rpc("evm_increaseTime", 17)
        if new_blocks is None or new_blocks > 0:
            self.mine(depth if new_blocks is None else new_blocks)

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
def signer_of() -> Callable[[int], TransactionSigner]:
    return lambda index: TransactionSigner(account_key(index))


@pytest.fixture
def proxied(anvil: AnvilNode) -> Iterator[tuple[FaultProxy, Node]]:
    with fault_proxy(anvil.url) as (proxy, url):
        yield proxy, Node(url, timeout_s=0.5)
