"""The token tree: joins the balance trees of all tokens to the root of a checkpoint."""

from collections.abc import Sequence

from protocol.encoding import u256
from protocol.errors import ProtocolError
from protocol.keccak import keccak256
from protocol.trees import plain


def token_leaf(balance_root: bytes, upper_bound: int) -> bytes:
    """Hash one token's commitment: its balance root under the interval from 0 to upper bound."""
    if len(balance_root) != 32:
        raise ProtocolError("the root of a balance tree has 32 bytes")
    return keccak256(u256(0) + balance_root + u256(upper_bound))


def checkpoint_root(token_leaves: Sequence[bytes]) -> bytes:
    """Hash the token leaves, in token-trail order, to the root that the operator submits."""
    return plain.root(token_leaves)


def membership_path(token_leaves: Sequence[bytes], token_trail: int) -> list[bytes]:
    """List the siblings of a token's leaf, leaf level first. Raises `NoSuchLeaf`."""
    return plain.path(token_leaves, token_trail)
