"""The node behind everything, in the hand of the play: it mines when told, and goes back."""

from __future__ import annotations

from typing import Any, Final

from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from protocol.address import Address, checksum_address

TIMEOUT_S: Final = 20


class NodeRefused(Exception):
    """The development node did not do what the play asked of it."""


class ParentNode:
    """A development node that mines on demand. Blocking; raises `NodeRefused` or what HTTP raises.

    Blocks are marked with a number of the play's own, so that two branches never hold the same
    block, however quickly they are mined.
    """

    def __init__(self, url: str) -> None:
        self._provider = HTTPProvider(url, request_kwargs={"timeout": TIMEOUT_S})
        self._branch = 0

    def block(self) -> int:
        """The newest block's number."""
        return int(self.ask("eth_blockNumber"), 16)

    def mine(self) -> int:
        """Mine everything that waits into one block; returns its number."""
        self.ask("evm_mine")
        return self.block()

    def has_unmined(self, account: Address) -> bool:
        """Whether a transaction of `account` waits for a block."""
        counts = [
            int(self.ask("eth_getTransactionCount", checksum_address(account), when), 16)
            for when in ("pending", "latest")
        ]
        return counts[0] > counts[1]

    def fund(self, account: Address, wei: int) -> None:
        """Let an account own `wei`."""
        self.ask("anvil_setBalance", checksum_address(account), hex(wei))

    def remember(self) -> str:
        """Mark the present state; `go_back` returns to it, once."""
        return str(self.ask("evm_snapshot"))

    def go_back(self, mark: str) -> None:
        """Forget every block since the mark, and mine on as another branch."""
        if self.ask("evm_revert", mark) is not True:
            raise NodeRefused(f"the node does not go back to {mark}")
        self._branch += 1
        self.ask("anvil_setCoinbase", f"0x{self._branch:040x}")

    def raw_transactions(self, block: int) -> list[str]:
        """The signed bytes of a block's transactions, as hexadecimal, in their order."""
        only_hashes = (hex(block), False)
        hashes = self.ask("eth_getBlockByNumber", *only_hashes)["transactions"]
        return [str(self.ask("eth_getRawTransactionByHash", one)) for one in hashes]

    def call_data(self, transaction_hash: bytes) -> bytes:
        """What a transaction told its contract."""
        found = self.ask("eth_getTransactionByHash", "0x" + transaction_hash.hex())
        return bytes.fromhex(found["input"][2:])

    def send_again(self, raw: str) -> bool:
        """Offer signed bytes once more; False when the new branch has no use for them."""
        try:
            self.ask("eth_sendRawTransaction", raw)
        except NodeRefused:
            return False
        return True

    def lose_unmined(self) -> None:
        """Forget every transaction that waits for a block."""
        self.ask("anvil_dropAllTransactions")

    def price_next_block(self, base_fee: int) -> None:
        """Set the base fee of the next block in wei; later ones follow the protocol's rule."""
        self.ask("anvil_setNextBlockBaseFeePerGas", hex(base_fee))

    def base_fee(self) -> int:
        """The newest block's base fee in wei."""
        only_hashes = ("latest", False)
        return int(self.ask("eth_getBlockByNumber", *only_hashes)["baseFeePerGas"], 16)

    def ask(self, method: str, *parameters: Any) -> Any:
        """One call of the node's own interface."""
        try:
            answer = self._provider.make_request(RPCEndpoint(method), list(parameters))
        except Web3Exception as error:
            raise NodeRefused(f"{method}: {error}") from error
        if "error" in answer:
            raise NodeRefused(f"{method}: {answer['error']}")
        return answer["result"]
