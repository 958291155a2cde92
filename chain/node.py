"""One Ethereum node, spoken to with time limits and named errors.

State is read at the head only: nodes without history, the development node among them, cannot
answer for older blocks. Readings that belong together name the head's hash.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import (
    BlockNotFound,
    ContractLogicError,
    ExtraDataLengthError,
    Web3Exception,
    Web3RPCError,
)
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import BlockIdentifier, RPCEndpoint, TxParams, Wei

from chain.blocks import BlockHeader, header_from_node, require_short_extra_data
from chain.errors import (
    ChainError,
    HeadMoved,
    NodeBehind,
    NodeMisbehaved,
    NodeRefused,
    ProofOfAuthorityFlagMissing,
    WrongChain,
)
from chain.fallback import FallbackProvider
from chain.provider import BoundedHttpProvider
from chain.reverts import name_revert
from protocol.address import Address

DEFAULT_TIMEOUT_S = 10.0
OLD_HEAD_S = 300.0
MAX_BATCH = 100
_MAX_REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Reading:
    """One `eth_call` to make: the contract, its call data and the function's ABI name."""

    to: Address
    data: bytes
    function: str


@dataclass(frozen=True, slots=True)
class HeadReading:
    """Results of several readings, all of the state after block `head`."""

    head: BlockHeader
    results: tuple[bytes, ...]


@contextmanager
def named_errors(label: str, function: str = "") -> Iterator[None]:
    """Turn whatever the library raises into an error of `chain.errors`."""
    try:
        yield
    except ChainError:
        raise
    except ContractLogicError as error:
        raise name_revert(function, error.data, error.message or "") from None
    except ExtraDataLengthError:
        raise ProofOfAuthorityFlagMissing(
            f"{label}: blocks carry long extra data, as proof-of-authority chains do: "
            "set HUB_ETHEREUM_NETWORK_IS_POA=true"
        ) from None
    except BlockNotFound:
        raise NodeBehind(f"{label}: the node does not have that block") from None
    except Web3RPCError as error:
        body = (error.rpc_response or {}).get("error", {})
        detail = body if isinstance(body, dict) else {}
        reason = str(detail.get("message", error.message))[:_MAX_REASON_CHARACTERS]
        raise NodeRefused(int(detail.get("code", 0)), reason) from None
    except (Web3Exception, ValueError, TypeError, LookupError, AttributeError) as error:
        raise NodeMisbehaved(f"{label}: {type(error).__name__} in its answer") from None


class Node:
    """A node's JSON-RPC end point. Safe to use from several threads.

    `chain_id`: if given, `require_chain` demands it; with `fallback_urls`, other nodes of the same
    chain, it must be. They are asked while the first does not answer, or while its head is older
    than `max_head_age_s` and another's is newer; transactions are handed to all. Every method
    raises NodeUnavailable, NodeTimeout, NodeMisbehaved or NodeRefused besides what it names itself.
    """

    def __init__(
        self,
        url: str,
        *,
        chain_id: int | None = None,
        is_proof_of_authority: bool = False,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        fallback_urls: Sequence[str] = (),
        max_head_age_s: float = OLD_HEAD_S,
    ) -> None:
        nodes = [BoundedHttpProvider(one, timeout_s=timeout_s) for one in (url, *fallback_urls)]
        if fallback_urls and chain_id is None:
            raise ValueError("several nodes need the id of their chain")
        self._provider = (
            FallbackProvider(nodes, chain_id=chain_id, max_head_age_s=max_head_age_s)
            if chain_id is not None and len(nodes) > 1
            else nodes[0]
        )
        self._expected_chain_id = chain_id
        self._is_proof_of_authority = is_proof_of_authority
        self.label = self._provider.label
        self.w3 = Web3(self._provider)
        if is_proof_of_authority:
            self.w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)

    def __repr__(self) -> str:
        return f"Node({self.label})"

    def require_chain(self) -> int:
        """The node's chain id; raises WrongChain if another one was configured."""
        with named_errors(self.label):
            chain_id = int(self.w3.eth.chain_id)
        if self._expected_chain_id not in (None, chain_id):
            raise WrongChain(
                f"{self.label} follows chain {chain_id}, configured is {self._expected_chain_id}"
            )
        return chain_id

    def require_progress(self, *, now_s: float, max_age_s: float) -> BlockHeader:
        """The head; raises NodeBehind if it is older than `max_age_s` or the node still syncs."""
        with named_errors(self.label):
            syncing = self.w3.eth.syncing
        head = self.head()
        if syncing:
            raise NodeBehind(f"{self.label} is still syncing, at block {head.number}")
        if now_s - head.timestamp_s > max_age_s:
            age_s = int(now_s - head.timestamp_s)
            raise NodeBehind(f"{self.label}: block {head.number} is {age_s} s old")
        return head

    def head(self) -> BlockHeader:
        """The newest block."""
        return self._block("latest")

    def header(self, number: int) -> BlockHeader:
        """Block `number` of the node's present chain; raises NodeBehind if it has none."""
        header = self._block(number)
        if header.number != number:
            raise NodeMisbehaved(f"{self.label}: asked for block {number}, got {header.number}")
        return header

    def headers(self, numbers: Sequence[int]) -> tuple[BlockHeader, ...]:
        """Several blocks of the node's present chain, in the order asked; at most MAX_BATCH."""
        if len(numbers) > MAX_BATCH:
            raise ValueError(f"at most {MAX_BATCH} headers at once")
        if not numbers:
            return ()
        with named_errors(self.label), self.w3.batch_requests() as batch:
            for number in numbers:
                batch.add(self.w3.eth.get_block(number))
            found = tuple(self._header(block) for block in batch.execute())
        if any(header.number != number for header, number in zip(found, numbers, strict=True)):
            raise NodeMisbehaved(f"{self.label}: the blocks are not the ones asked for")
        return found

    def call(self, reading: Reading, *, sender: Address | None = None, value: int = 0) -> bytes:
        """The result of one call at the head; raises CallReverted."""
        with named_errors(self.label, reading.function):
            return bytes(self.w3.eth.call(self._call_parameters(reading, sender, value), "latest"))

    def read_at_head(self, readings: Sequence[Reading]) -> HeadReading:
        """Several calls on the state of one and the same block, the head when this began.

        Raises HeadMoved when another block became the head meanwhile and the node has not kept
        the state that was asked for.
        """
        head = self.head()
        results: list[bytes] = []
        try:
            for start in range(0, len(readings), MAX_BATCH):
                results += self._read_pinned(readings[start : start + MAX_BATCH], head)
        except (NodeRefused, NodeBehind):
            if self.head().block_hash != head.block_hash:
                raise HeadMoved(f"{self.label}: the head moved past block {head.number}") from None
            raise
        return HeadReading(head, tuple(results))

    def ask_batch(self, method: str, parameters: Sequence[list[Any]]) -> list[Any]:
        """The node's own answers to one method asked for several things, in the order asked.

        At most MAX_BATCH at once; what the node does not have is None.
        """
        if len(parameters) > MAX_BATCH:
            raise ValueError(f"at most {MAX_BATCH} questions at once")
        if not parameters:
            return []
        asked: list[tuple[RPCEndpoint, Any]] = [(RPCEndpoint(method), one) for one in parameters]
        answers = self._provider.make_batch_request(asked)
        found = answers if isinstance(answers, list) else [answers]
        for answer in found:
            refusal = answer.get("error")
            if refusal is not None:
                detail = refusal if isinstance(refusal, dict) else {"message": refusal}
                reason = str(detail.get("message"))[:_MAX_REASON_CHARACTERS]
                raise NodeRefused(int(detail.get("code", 0)), reason)
        return [answer.get("result") for answer in found]

    def code(self, address: Address) -> bytes:
        """The code at an address, empty if none."""
        with named_errors(self.label):
            return bytes(self.w3.eth.get_code(as_checksummed(address), "latest"))

    def balance(self, address: Address) -> int:
        """An address's ether at the head, in wei."""
        with named_errors(self.label):
            return int(self.w3.eth.get_balance(as_checksummed(address), "latest"))

    def transaction_count(self, address: Address) -> int:
        """How many transactions of `address` are mined: its next nonce."""
        with named_errors(self.label):
            return int(self.w3.eth.get_transaction_count(as_checksummed(address), "latest"))

    def _block(self, which: BlockIdentifier) -> BlockHeader:
        with named_errors(self.label):
            return self._header(self.w3.eth.get_block(which))

    def _header(self, block: Any) -> BlockHeader:
        header = header_from_node(block)
        if not self._is_proof_of_authority:
            require_short_extra_data(header)
        return header

    def _call_parameters(
        self, reading: Reading, sender: Address | None = None, value: int = 0
    ) -> TxParams:
        parameters: TxParams = {
            "to": as_checksummed(reading.to),
            "data": Web3.to_hex(reading.data),
        }
        if sender is not None:
            parameters["from"] = as_checksummed(sender)
            parameters["value"] = Wei(value)
        return parameters

    def _read_pinned(self, readings: Sequence[Reading], block: BlockHeader) -> list[bytes]:
        # By hash, not by number: after a reorganisation the number would mean another state.
        pinned = cast(BlockIdentifier, {"blockHash": Web3.to_hex(block.block_hash)})
        functions = ",".join(dict.fromkeys(reading.function for reading in readings))
        with named_errors(self.label, functions), self.w3.batch_requests() as batch:
            for reading in readings:
                batch.add(self.w3.eth.call(self._call_parameters(reading), pinned))
            return [bytes(cast(HexBytes, answer)) for answer in batch.execute()]


def as_checksummed(address: Address) -> ChecksumAddress:
    """The library's form of an address."""
    return Web3.to_checksum_address(address)
