"""The node behind everything, in the hand of the play: it mines when told, and goes back."""

from __future__ import annotations

from typing import Any, Final

from web3 import HTTPProvider, Web3
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
        self._w3 = Web3(HTTPProvider(url, request_kwargs={"timeout": TIMEOUT_S}))
        self._branch = 0

    def block(self) -> int:
        """The newest block's number."""
        return int(self._w3.eth.block_number)

    def mine(self) -> int:
        """Mine everything that waits into one block; returns its number."""
        self.ask("evm_mine")
        return self.block()

    def has_unmined(self, account: Address) -> bool:
        """Whether a transaction of `account` waits for a block."""
        holder = self._w3.to_checksum_address(checksum_address(account))
        waiting = self._w3.eth.get_transaction_count(holder, "pending")
        return waiting > self._w3.eth.get_transaction_count(holder, "latest")

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
        found = self._w3.eth.get_block(block)["transactions"]
        hashes = [Web3.to_hex(item) for item in found if isinstance(item, bytes)]
        return [str(self.ask("eth_getRawTransactionByHash", item)) for item in hashes]

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
        return int(self._w3.eth.get_block("latest")["baseFeePerGas"])

    def ask(self, method: str, *parameters: Any) -> Any:
        """One call of the node's own interface."""
        try:
            answer = self._w3.provider.make_request(RPCEndpoint(method), list(parameters))
        except Web3Exception as error:
            raise NodeRefused(f"{method}: {error}") from error
        if "error" in answer:
            raise NodeRefused(f"{method}: {answer['error']}")
        return answer["result"]
