"""Sends a deployer's transactions: signed locally, one after the other, each waited for."""

from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress, HexStr
from web3 import Web3
from web3.exceptions import TimeExhausted
from web3.types import TxParams, TxReceipt, Wei

RECEIPT_TIMEOUT_S = 180.0
RECEIPT_POLL_S = 0.2


class DeploymentError(Exception):
    """A deployment that cannot go on; the message says why and what to do."""


class TransactionFailed(DeploymentError):
    """A transaction was reverted, or not mined in time."""


class Sender:
    """An account that sends transactions with consecutive nonces of its own. Hides its key."""

    def __init__(self, w3: Web3, private_key: bytes | str) -> None:
        self._w3 = w3
        self._account: LocalAccount = Account.from_key(private_key)

    def __repr__(self) -> str:
        return f"Sender({self.address})"

    @property
    def address(self) -> ChecksumAddress:
        """The account that signs and pays."""
        return self._account.address

    def next_nonce(self) -> int:
        """The nonce that the next transaction takes, those in the node's pool counted."""
        return self._w3.eth.get_transaction_count(self.address, "pending")

    def send(self, *, to: bytes | None, data: str = "0x", value: int = 0) -> TxReceipt:
        """Sends one transaction and waits for its receipt; `to` None creates a contract.

        Raises TransactionFailed if it reverts or is not mined within `RECEIPT_TIMEOUT_S`.
        """
        call: TxParams = {
            "from": self.address,
            "nonce": cast(Any, self.next_nonce()),
            "chainId": self._w3.eth.chain_id,
            "data": HexStr(data),
            "value": Wei(value),
            **self._fees(),
        }
        if to is not None:
            call["to"] = Web3.to_checksum_address(to)
        call["gas"] = self._w3.eth.estimate_gas(call)
        signed = self._account.sign_transaction(cast(Any, call))
        tx_hash = self._w3.eth.send_raw_transaction(signed.raw_transaction)
        try:
            receipt = self._w3.eth.wait_for_transaction_receipt(
                tx_hash, timeout=RECEIPT_TIMEOUT_S, poll_latency=RECEIPT_POLL_S
            )
        except TimeExhausted as late:
            raise TransactionFailed(f"{tx_hash.to_0x_hex()} was not mined in time") from late
        if receipt["status"] != 1:
            raise TransactionFailed(f"{tx_hash.to_0x_hex()} was reverted")
        return receipt

    def _fees(self) -> TxParams:
        """EIP-1559 fees where blocks have a base fee, else the node's gas price."""
        base_fee = self._w3.eth.get_block("latest").get("baseFeePerGas")
        if base_fee is None:
            return {"gasPrice": self._w3.eth.gas_price}
        tip = self._w3.eth.max_priority_fee
        return {"maxPriorityFeePerGas": tip, "maxFeePerGas": Wei(2 * base_fee + tip)}
