"""Conduits: the pseudo-tokens under which the contract files challenges of orders."""

from protocol.address import Address, InvalidAddress
from protocol.keccak import keccak256


def conduit(sell_token: Address, buy_token: Address) -> Address:
    """Derive the conduit of an ordered token pair: the last 20 bytes of the pair's hash."""
    if len(sell_token) != 20 or len(buy_token) != 20:
        raise InvalidAddress("an address has 20 bytes")
    return keccak256(sell_token + buy_token)[12:]
