"""Who signs, from the settings: this process, another one, or nobody."""

from __future__ import annotations

from dataclasses import dataclass

from chain.remote_signer import RemoteKey, RemoteMessageSigner, RemoteTransactionSigner
from chain.signer import SignsTransactions, TransactionSigner
from protocol.address import Address
from protocol.errors import ProtocolError
from protocol.signing import MessageSigner, Signer
from settings import Settings


class NoKey(ProtocolError):
    """Something was to be signed in a process that holds no key."""


class AddressOnly:
    """Stands for the operator where nothing may be signed: it knows the address only."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def sign(self, message: bytes) -> bytes:
        """Always raises `NoKey`."""
        raise NoKey("this process holds no key")


@dataclass(frozen=True, slots=True)
class OwnerSigners:
    """The owner's two hands: `messages` for countersignatures, `transactions` for the chain."""

    messages: MessageSigner
    transactions: SignsTransactions


def owner_signers(settings: Settings) -> OwnerSigners:
    """Sign with the owner's key, wherever it is. Raises `SettingsError` without a key.

    Nobody is asked anything yet: a remote signer that is away is met at the first signature.
    """
    if settings.remote_signer_url is None:
        key = settings.require_owner_key()
        return OwnerSigners(Signer(key), TransactionSigner(key))
    remote = RemoteKey(
        settings.remote_signer_url.reveal(),
        settings.owner_address,
        timeout_s=settings.remote_signer_timeout.total_seconds(),
    )
    return OwnerSigners(RemoteMessageSigner(remote), RemoteTransactionSigner(remote))
