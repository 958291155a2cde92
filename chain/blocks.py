"""Blocks as synchronisation sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chain.errors import NodeMisbehaved, ProofOfAuthorityFlagMissing


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """One block: `timestamp_s` in Unix seconds, fees in wei, `base_fee` None before EIP-1559."""

    number: int
    block_hash: bytes
    parent_hash: bytes
    timestamp_s: int
    gas_limit: int
    base_fee: int | None
    extra_data_bytes: int = 0


# Longer extra data means that the chain's validators sign blocks there.
MAX_EXTRA_DATA_BYTES = 32


def header_from_node(block: Mapping[str, Any]) -> BlockHeader:
    """A header from the library's block; raises NodeMisbehaved when a member is missing."""
    extra = block.get("proofOfAuthorityData", block.get("extraData", b""))
    try:
        header = BlockHeader(
            number=int(block["number"]),
            block_hash=bytes(block["hash"]),
            parent_hash=bytes(block["parentHash"]),
            timestamp_s=int(block["timestamp"]),
            gas_limit=int(block["gasLimit"]),
            base_fee=None if block.get("baseFeePerGas") is None else int(block["baseFeePerGas"]),
            extra_data_bytes=len(bytes(extra)),
        )
    except (KeyError, TypeError, ValueError):
        raise NodeMisbehaved("a block without number, hashes, time or gas limit") from None
    if len(header.block_hash) != 32 or len(header.parent_hash) != 32:
        raise NodeMisbehaved(f"block {header.number} has a hash that is not 32 bytes")
    return header


def require_short_extra_data(header: BlockHeader) -> None:
    """Raise ProofOfAuthorityFlagMissing for a block that only the flag lets us read."""
    if header.extra_data_bytes > MAX_EXTRA_DATA_BYTES:
        raise ProofOfAuthorityFlagMissing(
            f"block {header.number} carries {header.extra_data_bytes} bytes of extra data: "
            "this is a proof-of-authority chain, set HUB_ETHEREUM_NETWORK_IS_POA=true"
        )
