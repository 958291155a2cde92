"""Transfers as leaves: in the sender's transaction set and in the recipient's passive tree."""

from protocol.address import Address, hashed_address
from protocol.encoding import MAX_U256, u64, u256
from protocol.keccak import keccak256

LAST_POSITION = MAX_U256
"""Stands for the position while a transfer is the newest leaf of its sender's set: the sender
signs before the operator has assigned the position."""


def transfer_tag(position: int, nonce: int) -> int:
    """Join position and nonce into the number that the contract calls the transfer's nonce.

    `position` is where the transfer begins in its recipient's receipts of the eon: the sum of the
    amounts received before it, in base units.
    """
    return int.from_bytes(keccak256(u256(position) + u256(nonce)), "big")


def transfer_leaf(
    *,
    counterparty: Address,
    amount: int,
    recipient_trail: int,
    position: int,
    nonce: int,
) -> bytes:
    """Hash a passive transfer to the 32 bytes of its leaf.

    In the sender's set the counterparty is the recipient, and the newest leaf carries
    `LAST_POSITION`, every older one its true position. In the recipient's passive tree the
    counterparty is the sender and the position true. The trail is the recipient's in both.
    """
    return tagged_transfer_leaf(
        counterparty=counterparty,
        amount=amount,
        recipient_trail=recipient_trail,
        tag=transfer_tag(position, nonce),
    )


def tagged_transfer_leaf(
    *, counterparty: Address, amount: int, recipient_trail: int, tag: int
) -> bytes:
    """Hash a transfer whose tag is known.

    A challenge on chain names only the tag; transfers that their recipient signed for (a form
    that this operator reads but never makes) carry their bare nonce in its place.
    """
    return keccak256(hashed_address(counterparty) + u256(amount) + u64(recipient_trail) + u256(tag))
