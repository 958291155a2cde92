"""Minimum-available-balance markers: the wallet's promise of what it keeps in an eon."""

from protocol.address import Address, hashed_address
from protocol.encoding import u256
from protocol.keccak import keccak256


def minimum_available_balance_digest(
    *, contract: Address, token: Address, wallet: Address, eon: int, amount: int
) -> bytes:
    """Hash a marker to 32 bytes: "in `eon` I keep no more than `amount`".

    Signed with every transfer, and with amount 0 for both wallets of an order in each of its
    eons. It lets the operator cancel a withdrawal request that exceeds it. The layout equals that
    of a withdrawal authorisation (see `protocol.withdrawals`), with the eon where that has a block
    number: never take one for the other.
    """
    return keccak256(
        hashed_address(contract)
        + hashed_address(token)
        + hashed_address(wallet)
        + u256(eon)
        + u256(amount)
    )
