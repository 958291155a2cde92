"""How the original misread a renewed signature of the terms: over the digest's 64 hex digits.

Its end point hashed the text of the digest in place of its 32 bytes, so it refused what wallets
sign. The vectors record both; the operator itself never signs or accepts the spelled form.
"""

from coincurve import PrivateKey, PublicKey

from protocol.address import Address
from protocol.keccak import keccak256
from protocol.signing import authorization_digest


def spelled_hash(digest: bytes) -> bytes:
    """Hash the hex digits of a digest with both prefixes, as if they were the 32 bytes."""
    spelled = digest.hex().encode("ascii")
    return keccak256(b"\x19Ethereum Signed Message:\n32" + authorization_digest(spelled))


def sign_spelled(digest: bytes, private_key: bytes) -> bytes:
    """Sign the spelled digest as the original's end point would have accepted it."""
    signature = PrivateKey(private_key).sign_recoverable(spelled_hash(digest), hasher=None)
    return signature[:64] + bytes((27 + signature[64],))


def accepts_spelled(digest: bytes, signature: bytes, address: Address) -> bool:
    """Tell whether the original's end point accepted a signature by `address`."""
    compact = signature[:64] + bytes((signature[64] - 27,))
    key = PublicKey.from_signature_and_message(compact, spelled_hash(digest), hasher=None)
    return keccak256(key.format(compressed=False)[1:])[12:] == address
