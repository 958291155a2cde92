"""The wallet's side of a transfer, cheap enough to sign thousands a second."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.transfers import TransferRequest
from protocol.address import Address
from protocol.keccak import keccak256
from protocol.markers import minimum_available_balance_digest
from protocol.signing import Signer
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.transaction_set import EMPTY


@dataclass(frozen=True, slots=True)
class Purse:
    """Who a wallet is, to others: its address and its trail in the token's tree."""

    address: Address
    trail: int


def key_of(index: int) -> Signer:
    """The key of the benchmark's wallet number `index`."""
    return Signer(keccak256(b"benchmark wallet %d" % index))


class Payer:
    """A wallet with a balance in one eon that knows what it has sent. Amounts in base units."""

    def __init__(
        self, signer: Signer, trail: int, *, contract: Address, token: Address, eon: int, funds: int
    ) -> None:
        self.purse = Purse(signer.address, trail)
        self._signer = signer
        self._contract, self._token, self._eon = contract, token, eon
        self._funds = funds
        self._spent = 0
        self._frontier = EMPTY

    def pay(self, recipient: Purse, amount: int, nonce: int) -> TransferRequest:
        """Sign the next transfer; `delivered` must tell its position before the one after it."""
        leaf = _leaf(recipient, amount, nonce, LAST_POSITION)
        self._spent += amount
        remainder = self._funds - self._spent
        state = active_state_digest(
            contract=self._contract,
            token=self._token,
            wallet=self.purse.address,
            trail=self.purse.trail,
            eon=self._eon,
            tx_set_root=self._frontier.root_with(leaf),
            spent=self._spent,
            gained=0,
        )
        marker = minimum_available_balance_digest(
            contract=self._contract,
            token=self._token,
            wallet=self.purse.address,
            eon=self._eon,
            amount=remainder,
        )
        return TransferRequest(
            debit_token=self._token,
            debit_address=self.purse.address,
            credit_token=self._token,
            credit_address=recipient.address,
            amount=amount,
            eon=self._eon,
            nonce=nonce,
            marker_amount=remainder,
            marker_signature=self._signer.sign(marker),
            state_signature=self._signer.sign(state),
        )

    def delivered(self, recipient: Purse, amount: int, nonce: int, position: int) -> None:
        """Note where the last transfer was delivered: its leaf becomes final."""
        self._frontier = self._frontier.append(_leaf(recipient, amount, nonce, position))


def _leaf(recipient: Purse, amount: int, nonce: int, position: int) -> bytes:
    return transfer_leaf(
        counterparty=recipient.address,
        amount=amount,
        recipient_trail=recipient.trail,
        position=position,
        nonce=nonce,
    )
