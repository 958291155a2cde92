"""Sending stored bytes, and learning what became of them.

Sending is idempotent: whatever happened to an earlier sending of the same bytes, the answer is an
ordinary outcome and never an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hexbytes import HexBytes
from web3.exceptions import TransactionIndexingInProgress, TransactionNotFound
from web3.types import TxReceipt

from chain.errors import CallReverted, NodeBehind, NodeMisbehaved, NodeRefused, TransactionRefused
from chain.node import Node, named_errors
from protocol.keccak import keccak256


class SendOutcome(Enum):
    """What the node said to a transaction."""

    ACCEPTED = "accepted"
    ALREADY_KNOWN = "already known"
    NONCE_TOO_LOW = "nonce too low"
    REPLACEMENT_UNDERPRICED = "replacement underpriced"
    FEE_TOO_LOW = "fee too low"
    INSUFFICIENT_FUNDS = "insufficient funds"
    NONCE_TOO_HIGH = "nonce too high"
    POOL_FULL = "pool full"

    @property
    def is_in_pool(self) -> bool:
        """Whether the node holds these very bytes now."""
        return self in (SendOutcome.ACCEPTED, SendOutcome.ALREADY_KNOWN)


# Each node says it in its own words: geth, Erigon, Nethermind, Besu, OpenEthereum, reth, anvil.
# The order matters: "replacement ... underpriced" would otherwise pass as a low fee.
_PHRASES: tuple[tuple[str, SendOutcome], ...] = (
    ("already known", SendOutcome.ALREADY_KNOWN),
    ("already imported", SendOutcome.ALREADY_KNOWN),
    ("alreadyknown", SendOutcome.ALREADY_KNOWN),
    ("known transaction", SendOutcome.ALREADY_KNOWN),
    ("nonce too low", SendOutcome.NONCE_TOO_LOW),
    ("oldnonce", SendOutcome.NONCE_TOO_LOW),
    ("nonce is too low", SendOutcome.NONCE_TOO_LOW),
    ("nonce too high", SendOutcome.NONCE_TOO_HIGH),
    ("noncegap", SendOutcome.NONCE_TOO_HIGH),
    ("nonce too distant", SendOutcome.NONCE_TOO_HIGH),
    ("replacement", SendOutcome.REPLACEMENT_UNDERPRICED),
    ("another transaction with same nonce", SendOutcome.REPLACEMENT_UNDERPRICED),
    ("insufficient", SendOutcome.INSUFFICIENT_FUNDS),
    ("underpriced", SendOutcome.FEE_TOO_LOW),
    ("fee too low", SendOutcome.FEE_TOO_LOW),
    ("less than block base fee", SendOutcome.FEE_TOO_LOW),
    ("feetoolow", SendOutcome.FEE_TOO_LOW),
    ("gas price too low", SendOutcome.FEE_TOO_LOW),
    ("txpool is full", SendOutcome.POOL_FULL),
    ("pool is full", SendOutcome.POOL_FULL),
    ("limit reached", SendOutcome.POOL_FULL),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction: gas in gas, price in wei for each."""

    tx_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    gas_price: int

    def is_confirmed(self, head: int, confirmations: int) -> bool:
        """Whether `confirmations` blocks lie on top of the block that mined it."""
        return head - self.block_number >= confirmations


def send_raw(node: Node, raw: bytes) -> SendOutcome:
    """Hand signed bytes to the node; raises TransactionRefused for what no outcome covers."""
    try:
        with named_errors(node.label):
            answered = bytes(node.w3.eth.send_raw_transaction(raw))
    except CallReverted as error:
        # Some nodes run a transaction before they take it: then it was never in the pool.
        raise TransactionRefused(3, f"the node expects a revert: {error.reason!r}") from None
    except NodeRefused as error:
        said = error.reason.lower()
        for phrase, outcome in _PHRASES:
            if phrase in said:
                return outcome
        raise TransactionRefused(error.code, error.reason) from None
    if answered != keccak256(raw):
        raise NodeMisbehaved(f"{node.label} took a transaction under another hash")
    return SendOutcome.ACCEPTED


def is_known(node: Node, tx_hash: bytes) -> bool:
    """Whether the node has the transaction, pending or mined."""
    with named_errors(node.label):
        try:
            return bytes(node.w3.eth.get_transaction(HexBytes(tx_hash))["hash"]) == tx_hash
        except TransactionNotFound:
            return False


def known_among(node: Node, tx_hashes: Sequence[bytes]) -> frozenset[bytes]:
    """Which of several transactions the node has, pending or mined; one request for all."""
    found = node.ask_batch("eth_getTransactionByHash", [[_hex(one)] for one in tx_hashes])
    with named_errors(node.label):
        known = {one: bytes(HexBytes(raw["hash"])) for one, raw in _paired(tx_hashes, found)}
    if any(one != said for one, said in known.items()):
        raise NodeMisbehaved(f"{node.label} answered with another transaction")
    return frozenset(known)


def _paired(tx_hashes: Sequence[bytes], found: Sequence[Any]) -> list[tuple[bytes, Any]]:
    return [(one, raw) for one, raw in zip(tx_hashes, found, strict=True) if raw is not None]


def _hex(tx_hash: bytes) -> str:
    return f"0x{tx_hash.hex()}"


def is_mined(node: Node, tx_hash: bytes) -> bool:
    """Whether the node knows a block that holds the transaction, receipt or not."""
    with named_errors(node.label):
        try:
            return node.w3.eth.get_transaction(HexBytes(tx_hash)).get("blockHash") is not None
        except TransactionNotFound:
            return False


def find_receipt(node: Node, tx_hash: bytes) -> Receipt | None:
    """The receipt of one transaction, if it is mined in the node's present chain.

    A receipt of a block that has left the chain counts as none.
    """
    with named_errors(node.label):
        try:
            receipt = _receipt(node.w3.eth.get_transaction_receipt(HexBytes(tx_hash)))
        except (TransactionNotFound, TransactionIndexingInProgress):
            return None
    if receipt.tx_hash != tx_hash:
        raise NodeMisbehaved(f"{node.label} answered with the receipt of another transaction")
    try:
        canonical = node.header(receipt.block_number)
    except NodeBehind:
        return None
    return receipt if canonical.block_hash == receipt.block_hash else None


def find_mined(node: Node, tx_hashes: Sequence[bytes]) -> Receipt | None:
    """The receipt of whichever attempt of one nonce was mined; at most one can be."""
    for tx_hash in tx_hashes:
        receipt = find_receipt(node, tx_hash)
        if receipt is not None:
            return receipt
    return None


def _receipt(raw: TxReceipt) -> Receipt:
    return Receipt(
        tx_hash=bytes(raw["transactionHash"]),
        block_number=int(raw["blockNumber"]),
        block_hash=bytes(raw["blockHash"]),
        succeeded=int(raw["status"]) == 1,
        gas_used=int(raw["gasUsed"]),
        gas_price=int(raw.get("effectiveGasPrice", 0)),
    )
