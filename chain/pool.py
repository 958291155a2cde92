"""What a node holds of an account beyond the blocks."""

from chain.node import Node, as_checksummed, named_errors
from protocol.address import Address


def pool_count(node: Node, address: Address) -> int:
    """The next nonce of `address` after all that is mined or waits in the node's pool in order."""
    with named_errors(node.label):
        return int(node.w3.eth.get_transaction_count(as_checksummed(address), "pending"))
