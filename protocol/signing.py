"""Signatures: who signed which 32-byte message.

A message is prefixed twice, once with the name of this protocol and once as `eth_sign` does, so
that neither a transaction nor another program's message can pass for it. Signatures are 65 bytes
`r ‖ s ‖ v` with v 27 or 28, the only values the contract's recovery accepts.
"""

from typing import Protocol

from coincurve import PrivateKey, PublicKey

from protocol.address import Address
from protocol.errors import ProtocolError
from protocol.keccak import keccak256

SIGNATURE_LENGTH = 65
_PROTOCOL_PREFIX = b"\x19Liquidity.Network Authorization:\n32"
_ETHEREUM_PREFIX = b"\x19Ethereum Signed Message:\n32"


class InvalidSignature(ProtocolError):
    """A signature is malformed or no key can have made it."""


class SignerUnavailable(ProtocolError):
    """Whoever holds the key did not sign, or not what was asked; a later try may succeed."""


class InvalidPrivateKey(ProtocolError):
    """A private key is not 64 hexadecimal digits, or not a number below the group's order."""


def authorization_digest(message: bytes) -> bytes:
    """Prefix and hash a 32-byte message with the protocol's own name (the first of two)."""
    return keccak256(_PROTOCOL_PREFIX + message)


def signing_preimage(message: bytes) -> bytes:
    """Compose what is hashed last before the curve signs: 60 bytes for a 32-byte message."""
    if len(message) != 32:
        raise ProtocolError("a signed message has 32 bytes")
    return _ETHEREUM_PREFIX + authorization_digest(message)


def signing_hash(message: bytes) -> bytes:
    """Compute the 32 bytes that the curve signs for a 32-byte message."""
    return keccak256(signing_preimage(message))


def sign(message: bytes, private_key: bytes) -> bytes:
    """Sign a 32-byte message with 32 key bytes. Raises `InvalidPrivateKey`."""
    return Signer(private_key).sign(message)


def recover(message: bytes, signature: bytes) -> Address:
    """Find the address that signed a 32-byte message. Raises `InvalidSignature`.

    A high s is accepted, as by the contract and by older wallets' signers; r and s of zero or
    beyond the group's order and every v but 27 and 28 are refused.
    """
    if len(signature) != SIGNATURE_LENGTH:
        raise InvalidSignature("a signature has 65 bytes")
    recovery_id = signature[64] - 27
    if recovery_id not in (0, 1):
        raise InvalidSignature("v is 27 or 28")
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes((recovery_id,)), signing_hash(message), hasher=None
        )
    except ValueError:
        raise InvalidSignature("no key can have made this signature") from None
    return address_of(key)


def is_signed_by(message: bytes, signature: bytes, address: Address) -> bool:
    """Tell whether `address` signed the 32-byte message; malformed signatures are simply not."""
    try:
        return recover(message, signature) == address
    except InvalidSignature:
        return False


def parse_signature(text: str) -> bytes:
    """Read the wire form, exactly 130 hexadecimal digits without `0x`. Raises `InvalidSignature`.

    Only the shape is judged; the values are judged by `recover`.
    """
    try:
        signature = bytes.fromhex(text)
    except ValueError:
        raise InvalidSignature("a signature is written in hexadecimal digits") from None
    if len(text) != 2 * SIGNATURE_LENGTH or len(signature) != SIGNATURE_LENGTH:
        raise InvalidSignature("a signature has 130 hexadecimal digits")
    return signature


def format_signature(signature: bytes) -> str:
    """Write 65 bytes in the wire form: 130 lower-case digits without `0x`."""
    return signature.hex()


def parse_private_key(text: str) -> bytes:
    """Read a private key, 64 hexadecimal digits, `0x` tolerated. Raises `InvalidPrivateKey`."""
    digits = text.removeprefix("0x")
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise InvalidPrivateKey("a private key is written in hexadecimal digits") from None
    if len(digits) != 64 or len(key) != 32:
        raise InvalidPrivateKey("a private key has 64 hexadecimal digits")
    return key


class MessageSigner(Protocol):
    """Signs messages for one account, wherever its key is."""

    @property
    def address(self) -> Address:
        """The account."""

    def sign(self, message: bytes) -> bytes:
        """Sign a 32-byte message: 65 bytes, s in the lower half. Raises `SignerUnavailable`."""


class Signer:
    """A private key of this process that signs messages and never shows itself."""

    __slots__ = ("_key", "address")

    def __init__(self, private_key: bytes) -> None:
        # The library pads shorter keys, which would sign for somebody else.
        if len(private_key) != 32:
            raise InvalidPrivateKey("a private key has 32 bytes")
        try:
            self._key = PrivateKey(private_key)
        except ValueError:
            raise InvalidPrivateKey("not a private key of secp256k1") from None
        self.address: Address = address_of(self._key.public_key)

    def sign(self, message: bytes) -> bytes:
        """Sign a 32-byte message: 65 bytes, deterministic (RFC 6979), s in the lower half."""
        signature = self._key.sign_recoverable(signing_hash(message), hasher=None)
        return signature[:64] + bytes((27 + signature[64],))

    def sign_text(self, text: str) -> bytes:
        """Sign a text in the place of a message. Wallets derive further keys from the signature
        and never show it; a text of 32 bytes could be a message and is refused."""
        data = text.encode()
        if len(data) == 32:
            raise ProtocolError("a text of 32 bytes could be taken for a message")
        digest = keccak256(_ETHEREUM_PREFIX + authorization_digest(data))
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes((27 + signature[64],))

    def __repr__(self) -> str:
        return f"Signer(address=0x{self.address.hex()})"

    def __reduce__(self) -> str:
        raise InvalidPrivateKey("a signer does not leave its process")


def address_of(key: PublicKey) -> Address:
    """The account of a public key."""
    return keccak256(key.format(compressed=False)[1:])[12:]
