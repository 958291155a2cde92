"""Trading addresses are found again from the owner's key, as existing wallets derive them."""

import hashlib
import hmac

import pytest
from coincurve import PrivateKey

from protocol.errors import ProtocolError
from protocol.keccak import keccak256
from wallet.keys import Keys

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HARDENED = 1 << 31


def child(key: bytes, chain: bytes, index: int) -> tuple[bytes, bytes]:
    """One step of BIP-32, written out."""
    data = b"\0" + key if index >= HARDENED else PrivateKey(key).public_key.format()
    mac = hmac.digest(chain, data + index.to_bytes(4, "big"), "sha512")
    number = (int.from_bytes(mac[:32], "big") + int.from_bytes(key, "big")) % ORDER
    return number.to_bytes(32, "big"), mac[32:]


def test_trading_keys_come_from_the_owners_signature_of_a_text() -> None:
    owner = Keys.from_text("owner of trading addresses")
    prefixed = keccak256(b"\x19Liquidity.Network Authorization:\n32LIQUIDITY NETWORK")
    digest = keccak256(b"\x19Ethereum Signed Message:\n32" + prefixed)
    signature = PrivateKey(owner.private_key).sign_recoverable(digest, hasher=None)
    text = signature[:64].hex() + f"{27 + signature[64]:02x}"
    assert len(text) == 130
    mnemonic = keccak256(text.encode()).hex()
    seed = hashlib.pbkdf2_hmac("sha512", mnemonic.encode(), b"mnemonic", 2048)
    master = hmac.digest(b"Bitcoin seed", seed, "sha512")
    for index, found in enumerate(owner.trading_keys()):
        key, chain = master[:32], master[32:]
        for step in (44 + HARDENED, 60 + HARDENED, HARDENED, 0, index):
            key, chain = child(key, chain, step)
        assert found.private_key == key
    assert len({found.address for found in owner.trading_keys()}) == 5


def test_a_text_that_could_be_a_message_is_not_signed() -> None:
    with pytest.raises(ProtocolError):
        Keys.from_text("owner").signer.sign_text("x" * 32)
