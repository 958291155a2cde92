"""What a node holds of an account beyond the blocks."""

from __future__ import annotations

from typing import Any

from web3.types import RPCEndpoint

from chain.errors import NodeMisbehaved, NodeRefused
from chain.fees import DynamicFee, Fee, LegacyFee
from chain.node import Node, as_checksummed, named_errors
from protocol.address import Address

_BY_NONCE = RPCEndpoint("eth_getTransactionBySenderAndNonce")
_CONTENT = RPCEndpoint("txpool_contentFrom")
_SECTIONS = ("pending", "queued")


def pool_count(node: Node, address: Address) -> int:
    """The next nonce of `address` after all that is mined or waits in the node's pool in order."""
    with named_errors(node.label):
        return int(node.w3.eth.get_transaction_count(as_checksummed(address), "pending"))


def pool_fee(node: Node, address: Address, nonce: int) -> Fee | None:
    """What the transaction of this nonce offers that waits in the node's pool.

    None when none does, or when the node shows nobody its pool, as hosted nodes do not.
    """
    account = as_checksummed(address)
    found = _ask(node, _BY_NONCE, [account, hex(nonce)])
    if not found:
        content = _ask(node, _CONTENT, [account]) or {}
        found = next(
            (
                waiting
                for section in _SECTIONS
                for number, waiting in dict(content.get(section) or {}).items()
                if str(number) == str(nonce)
            ),
            None,
        )
    if not found or found.get("blockHash") is not None:
        return None
    with named_errors(node.label):
        if found.get("maxFeePerGas") is None:
            return LegacyFee(_number(found["gasPrice"]))
        return DynamicFee(_number(found["maxFeePerGas"]), _number(found["maxPriorityFeePerGas"]))


def _ask(node: Node, method: RPCEndpoint, params: list[Any]) -> Any:
    try:
        with named_errors(node.label):
            return node.w3.manager.request_blocking(method, params)
    except (NodeRefused, NodeMisbehaved):
        return None


def _number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
