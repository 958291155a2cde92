"""Slashes of a contract that emits no event for them, read out of the blocks' transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chain.abi import functions
from chain.blocks import BlockHeader
from chain.errors import HeadMoved
from chain.node import Node, named_errors
from chain.transactions import find_receipt
from protocol.address import Address

SLASH: Final = "slashWithdrawalWithProofOfMinimumAvailableBalance"
BLOCKS_AT_ONCE: Final = 16
"""Whole blocks are large."""


@dataclass(frozen=True, slots=True)
class SlashCall:
    """A successful transaction that slashed `requestor`; `tx_index` is its place in the block."""

    block_number: int
    block_hash: bytes
    tx_hash: bytes
    tx_index: int
    token: Address
    requestor: Address


def find_slash_calls(
    node: Node, contract: Address, headers: Sequence[BlockHeader]
) -> list[SlashCall]:
    """Find the transactions in these blocks that call the contract to slash, in their order.

    A slash by way of another contract is not among them. Raises HeadMoved when one of the blocks
    has been replaced.
    """
    found: list[SlashCall] = []
    for first in range(0, len(headers), BLOCKS_AT_ONCE):
        batch = headers[first : first + BLOCKS_AT_ONCE]
        for header, block in zip(batch, _whole_blocks(node, batch), strict=True):
            with named_errors(node.label):
                if bytes(block["hash"]) != header.block_hash:
                    raise HeadMoved(f"block {header.number} was replaced while it was read")
                calls = [one for one in block["transactions"] if _is_slash(one, contract)]
                found += [_read(header, one) for one in calls if _succeeded(node, one)]
    return found


def _whole_blocks(node: Node, headers: Sequence[BlockHeader]) -> list[Any]:
    with named_errors(node.label), node.w3.batch_requests() as batch:
        for header in headers:
            batch.add(node.w3.eth.get_block(header.number, full_transactions=True))
        return list(batch.execute())


def _is_slash(transaction: Mapping[str, Any], contract: Address) -> bool:
    to = transaction.get("to")
    if to is None or bytes.fromhex(to[2:]) != contract:
        return False
    return bytes(transaction["input"])[:4] == functions()[SLASH].selector


def _succeeded(node: Node, transaction: Mapping[str, Any]) -> bool:
    receipt = find_receipt(node, bytes(transaction["hash"]))
    if receipt is None:
        raise HeadMoved("a transaction left its block while it was read")
    return receipt.succeeded


def _read(header: BlockHeader, transaction: Mapping[str, Any]) -> SlashCall:
    token, requestor, *_ = functions()[SLASH].arguments(bytes(transaction["input"]))
    return SlashCall(
        block_number=header.number,
        block_hash=header.block_hash,
        tx_hash=bytes(transaction["hash"]),
        tx_index=int(transaction["transactionIndex"]),
        token=token,
        requestor=requestor,
    )
