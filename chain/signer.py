"""Signing the operator's transactions.

The same request and key always give the same bytes, so that an attempt can be stored with its
hash before it is sent, and sent again after a crash without becoming another transaction.
"""

from dataclasses import dataclass
from typing import NoReturn, Protocol, SupportsIndex

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_account.types import TransactionDictType
from web3 import Web3

from chain.fees import DynamicFee, Fee
from protocol.address import Address
from protocol.signing import InvalidPrivateKey


@dataclass(frozen=True, slots=True)
class TransactionRequest:
    """Everything that a signature covers: `value` in wei, `gas_limit` in gas."""

    chain_id: int
    nonce: int
    to: Address
    value: int
    data: bytes
    gas_limit: int
    fee: Fee


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Bytes for the node and the hash under which it will know them."""

    raw: bytes
    tx_hash: bytes


class SignsTransactions(Protocol):
    """Signs transactions of one account, wherever its key is."""

    @property
    def address(self) -> Address:
        """The account."""

    def sign(self, request: TransactionRequest) -> SignedTransaction:
        """Sign as EIP-1559 (type 2) or, for a LegacyFee, as a legacy transaction with chain id.

        Raises `SignerUnavailable`.
        """


class TransactionSigner:
    """Holds one private key and shows only its address; it cannot be copied or pickled."""

    __slots__ = ("_account", "address")

    def __init__(self, private_key: bytes) -> None:
        try:
            account: LocalAccount = Account.from_key(private_key)
        except Exception:  # noqa: BLE001 the library's text repeats the key
            raise InvalidPrivateKey("not a private key of secp256k1") from None
        self._account = account
        self.address = Address(Web3.to_bytes(hexstr=account.address))

    def __repr__(self) -> str:
        return f"TransactionSigner(0x{self.address.hex()})"

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a signer holds a private key and must not leave its process")

    def sign(self, request: TransactionRequest) -> SignedTransaction:
        """Sign as EIP-1559 (type 2) or, for a LegacyFee, as a legacy transaction with chain id."""
        fields: TransactionDictType = {
            "chainId": request.chain_id,
            "nonce": request.nonce,
            "to": request.to,
            "value": request.value,
            "data": request.data,
            "gas": request.gas_limit,
        }
        if isinstance(request.fee, DynamicFee):
            fields["type"] = 2
            fields["maxFeePerGas"] = request.fee.max_fee
            fields["maxPriorityFeePerGas"] = request.fee.priority_fee
        else:
            fields["gasPrice"] = request.fee.gas_price
        signed = self._account.sign_transaction(fields)
        return SignedTransaction(bytes(signed.raw_transaction), bytes(signed.hash))
