"""The terms of service that a wallet signs at its admission."""

from protocol.errors import ProtocolError
from protocol.keccak import keccak256


def terms_digest(terms_of_service: bytes, privacy_policy: bytes) -> bytes:
    """Join the digests of both documents, 32 bytes each, terms first, to the 32 bytes signed."""
    if len(terms_of_service) != 32 or len(privacy_policy) != 32:
        raise ProtocolError("the digest of a document has 32 bytes")
    return keccak256(terms_of_service + privacy_policy)
