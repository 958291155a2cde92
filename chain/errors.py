"""Every way in which the parent chain, or a node that speaks for it, can disappoint.

The names are stable: the duties above list them in their retry policies. No message contains a
node's full address, because hosted nodes carry their access key in the path.
"""

from dataclasses import dataclass


class ChainError(Exception):
    """Base of all errors of this room."""


class NodeUnavailable(ChainError):
    """The node could not be reached, closed the connection or answered with an HTTP error."""


class NodeTimeout(NodeUnavailable):
    """The node did not finish its answer within the time limit."""


class NodeBusy(NodeUnavailable):
    """The node asks for patience (HTTP 429 or 503); `retry_after_s` as it says, or None."""

    def __init__(self, message: str, retry_after_s: float | None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NodeMisbehaved(ChainError):
    """The answer contradicts itself, the request or the wire format: it must not be believed."""


class NodeBehind(ChainError):
    """The node does not have the block asked for, is still syncing, or its head is too old."""


class HeadMoved(ChainError):
    """A new block arrived between the parts of one reading; reading again is enough."""


class WrongChain(ChainError):
    """The node follows another chain than the configured one."""


class ProofOfAuthorityFlagMissing(ChainError):
    """Blocks carry long extra data: set `HUB_ETHEREUM_NETWORK_IS_POA=true`."""


class NodeRefused(ChainError):
    """The node answered with a JSON-RPC error.

    `code` is the JSON-RPC error code (0 when the node gave none), `reason` the node's own text.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} (code {code})")
        self.code = code
        self.reason = reason


class RangeTooLarge(NodeRefused):
    """The node refuses to search so many blocks, or to return so many logs, at once."""


class ContractMissing(ChainError):
    """There is no code, or no commit-chain, at the configured contract address."""


class CallReverted(ChainError):
    """A call was refused by the contract.

    `function` is the ABI name, `reason` the contract's revert string (empty if it gave none),
    `meaning` what that says about this function, `data` the raw revert data.
    """

    def __init__(self, function: str, reason: str, meaning: str, data: bytes = b"") -> None:
        super().__init__(f"{function} reverted with {reason!r}: {meaning}")
        self.function = function
        self.reason = reason
        self.meaning = meaning
        self.data = data


@dataclass(frozen=True, slots=True)
class Branch:
    """One block of a disputed height: `number` and `block_hash`."""

    number: int
    block_hash: bytes


class DeepReorganisation(ChainError):
    """The node's chain leaves ours below the newest confirmed block: nothing may be guessed.

    `ours` and `theirs` are the two blocks at the newest confirmed height; `theirs` is None when
    the node's chain is shorter than that.
    """

    def __init__(self, ours: Branch, theirs: Branch | None) -> None:
        shown = theirs.block_hash.hex() if theirs else "no block"
        super().__init__(
            f"confirmed block {ours.number} was {ours.block_hash.hex()}, the node has {shown}"
        )
        self.ours = ours
        self.theirs = theirs


class BrokenContinuity(ChainError):
    """A block's parent hash is not the hash of the block before it: read the range again."""


class GasLimitTooHigh(ChainError):
    """The call needs more gas than the operator may claim of one block."""


class TransactionRefused(NodeRefused):
    """The node will not take this transaction, for a reason that sending it again cannot cure."""
