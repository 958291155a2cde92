"""Keccak-256 as Ethereum uses it (the padding from before SHA3 was standardised)."""

from importlib.machinery import EXTENSION_SUFFIXES

import _pysha3
from _pysha3 import keccak_256
from coincurve import _libsecp256k1

from protocol.errors import ProtocolError

_KECCAK_OF_NOTHING = bytes.fromhex(
    "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
)


class SlowCryptoFallback(ProtocolError):
    """Hashing or signing would not run in compiled code, or would hash something else."""


def keccak256(data: bytes) -> bytes:
    """Hash `data` to 32 bytes."""
    digest: bytes = keccak_256(data).digest()
    return digest


def require_fast_crypto() -> None:
    """Check at start-up that hashing and signing run in compiled code.

    Raises `SlowCryptoFallback`: an operator hundreds of times slower than measured would accept
    payments and then miss its checkpoint.
    """
    for module in (_pysha3, _libsecp256k1):
        origin = getattr(module, "__file__", None) or ""
        if not origin.endswith(tuple(EXTENSION_SUFFIXES)):
            raise SlowCryptoFallback(f"{module.__name__} is not a compiled extension")
    if keccak256(b"") != _KECCAK_OF_NOTHING:
        raise SlowCryptoFallback("keccak256 does not compute Ethereum's Keccak-256")
