"""The active state: a wallet's cumulative position inside one eon, which both sides sign."""

from protocol.address import Address, hashed_address
from protocol.encoding import ZERO_HASH, u64, u256
from protocol.errors import ProtocolError
from protocol.keccak import keccak256


def active_state_digest(
    *,
    contract: Address,
    token: Address,
    wallet: Address,
    trail: int,
    eon: int,
    tx_set_root: bytes,
    spent: int,
    gained: int,
) -> bytes:
    """Hash an active state to 32 bytes.

    `trail` is the wallet's index in its token's balance tree, `tx_set_root` the root of its
    transaction set, `spent` and `gained` the totals of the eon in base units. A wallet that did
    nothing in an eon has no active state: its leaf then holds 32 zero bytes, not the digest of
    zeros.
    """
    if len(tx_set_root) != 32:
        raise ProtocolError("the root of a transaction set has 32 bytes")
    return keccak256(
        hashed_address(contract)
        + hashed_address(token)
        + hashed_address(wallet)
        + u64(trail)
        + u256(eon)
        + tx_set_root
        + u256(spent)
        + u256(gained)
    )


def admission_digest(
    *, contract: Address, token: Address, wallet: Address, trail: int, eon: int
) -> bytes:
    """Hash the empty state that admits a wallet.

    The wallet signs it with trail 0, not knowing its own yet; the operator signs it with the
    trail that it assigns. The operator's signature thereby doubles as a countersigned empty state
    with which a wallet without an allotment can open a challenge.
    """
    return active_state_digest(
        contract=contract,
        token=token,
        wallet=wallet,
        trail=trail,
        eon=eon,
        tx_set_root=ZERO_HASH,
        spent=0,
        gained=0,
    )
