"""What a wallet signs to pay: the state after the payment, and a marker of what stays."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.markers import minimum_available_balance_digest
from protocol.signing import Signer, format_signature
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from wallet.book import EonBook
from wallet.errors import NotPossible
from wallet.verification import WalletIdentity


@dataclass(frozen=True, slots=True)
class SignedTransfer:
    """A transfer as the wallet signed it, before the operator has seen it."""

    body: dict[str, object]
    nonce: int
    amount: int


def sign_transfer(
    book: EonBook,
    signer: Signer,
    recipient: WalletIdentity,
    amount: int,
    nonce: int,
    *,
    keep: int | None = None,
) -> SignedTransfer:
    """Sign the state after paying `amount`, and a marker of what stays.

    `keep` lowers the marker; a marker below a pending withdrawal request would let a malicious
    operator cancel that request, so it is refused. Raises `NotPossible`.
    """
    if not book.is_free:
        raise NotPossible("an order holds the wallet")
    remainder = book.available - amount
    if amount < 0 or remainder < 0:
        raise NotPossible(f"the wallet holds {book.available}, not {amount}")
    marker = remainder if keep is None else keep
    if marker < book.requested and keep is not None:
        raise NotPossible("a marker below what is being withdrawn would let it be cancelled")
    leaf = transfer_leaf(
        counterparty=recipient.address,
        amount=amount,
        recipient_trail=recipient.trail,
        position=LAST_POSITION,
        nonce=nonce,
    )
    spent, gained = book.totals
    digest = active_state_digest(
        contract=book.chain.contract,
        token=book.wallet.token,
        wallet=book.wallet.address,
        trail=book.wallet.trail,
        eon=book.eon,
        tx_set_root=book.set_before.root_with(leaf),
        spent=spent + amount,
        gained=gained,
    )
    body: dict[str, object] = {
        "wallet": reference(book.wallet),
        "amount": str(amount),
        "nonce": str(nonce),
        "eon_number": book.eon,
        "recipient": reference(recipient),
        "debit_balance": str(marker),
        "debit_signature": signature_object(signer.sign(digest)),
        "debit_balance_signature": sign_marker(book, signer, book.eon, marker),
    }
    return SignedTransfer(body, nonce, amount)


def sign_marker(book: EonBook, signer: Signer, eon: int, amount: int) -> dict[str, str]:
    """Sign that the book's wallet keeps no more than `amount` in `eon`."""
    digest = minimum_available_balance_digest(
        contract=book.chain.contract,
        token=book.wallet.token,
        wallet=book.wallet.address,
        eon=eon,
        amount=amount,
    )
    return signature_object(signer.sign(digest))


def signature_object(signature: bytes) -> dict[str, str]:
    """A signature as request bodies carry it."""
    return {"value": format_signature(signature)}


def reference(wallet: WalletIdentity) -> dict[str, str]:
    """A wallet as requests name it."""
    return {"address": wallet.address.hex(), "token": wallet.token.hex()}
