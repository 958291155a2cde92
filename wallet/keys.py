"""Keys: a signer for states and the raw key for the parent chain, hidden from every printout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from eth_account import Account
from eth_account.hdaccount import key_from_seed
from eth_account.hdaccount.mnemonic import Mnemonic

from protocol.address import Address, checksum_address
from protocol.keccak import keccak256
from protocol.signing import Signer, format_signature

Account.enable_unaudited_hdwallet_features()

TRADING_TEXT: Final = "LIQUIDITY NETWORK"
TRADING_ADDRESSES: Final = 5


def _path(index: int) -> str:
    return f"m/44'/60'/0'/0/{index}"


@dataclass(frozen=True, slots=True)
class Keys:
    """One private key, able to sign both for the operator and for the chain."""

    private_key: bytes = field(repr=False)
    signer: Signer = field(repr=False)

    @classmethod
    def from_private_key(cls, private_key: bytes) -> Keys:
        """Take a key of 32 bytes. Raises `InvalidPrivateKey`."""
        return cls(private_key, Signer(private_key))

    @classmethod
    def from_mnemonic(cls, mnemonic: str, index: int) -> Keys:
        """Derive the key at m/44'/60'/0'/0/index."""
        account = Account.from_mnemonic(mnemonic, account_path=_path(index))
        return cls.from_private_key(bytes(account.key))

    @classmethod
    def from_text(cls, text: str) -> Keys:
        """Take the Keccak digest of a text as the key: for tests and demonstrations only."""
        return cls.from_private_key(keccak256(text.encode()))

    def trading_keys(self) -> list[Keys]:
        """Derive the one-purpose keys under which orders of this key's owner live.

        Their seed is made from a signature, as a mnemonic of no words: whoever has the key finds
        them again on any machine.
        """
        signature = format_signature(self.signer.sign_text(TRADING_TEXT))
        seed = Mnemonic.to_seed(keccak256(signature.encode()).hex())
        return [
            Keys.from_private_key(key_from_seed(seed, _path(index)))
            for index in range(TRADING_ADDRESSES)
        ]

    @property
    def address(self) -> Address:
        """The key's address."""
        return self.signer.address

    @property
    def address_text(self) -> str:
        """The key's address with checksum."""
        return checksum_address(self.address)
