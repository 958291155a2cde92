"""Withdrawal authorisations: what a holder signs so that the operator may request for it."""

from protocol.address import Address, hashed_address
from protocol.encoding import u256
from protocol.keccak import keccak256


def delegated_withdrawal_digest(
    *,
    contract: Address,
    token: Address,
    holder: Address,
    expiry_block: int,
    amount: int,
    pending: int,
) -> bytes:
    """Hash the authorisation of a delegated withdrawal to 32 bytes, as the contract verifies it.

    Valid in blocks up to and including `expiry_block`. The contract signs off a cumulative sum, so
    `pending`, what the holder already requested in the current eon, is added to `amount`.
    """
    return keccak256(
        hashed_address(contract)
        + hashed_address(token)
        + hashed_address(holder)
        + u256(expiry_block)
        + u256(amount + pending)
    )
