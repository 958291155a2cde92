"""Requests as a wallet signs them, from the wallet's own book."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from protocol.address import Address
from protocol.markers import minimum_available_balance_digest
from protocol.signing import Signer
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.transaction_set import EMPTY, Frontier
from tests.ledger.world import CONTRACT, ETH, World, key, text_of

_nonces = count(1)


@dataclass
class Payer:
    """A person of the tests with a wallet in one token and what it has signed in one eon."""

    name: str
    trail: int
    eon: int
    token: Address = ETH
    spent: int = 0
    frontier: Frontier = EMPTY
    last: dict[str, Any] | None = field(default=None)

    @property
    def key(self) -> Signer:
        """The person's key."""
        return key(self.name)

    @property
    def stream(self) -> str:
        """The wallet's stream, in the registered letter case."""
        return f"wallet/{text_of(self.token)}/{text_of(self.key.address)}"

    @property
    def reference(self) -> dict[str, str]:
        """The wallet as a body names it."""
        return {"address": text_of(self.key.address), "token": text_of(self.token)}

    def body(self, recipient: Payer, amount: int, **changed: Any) -> dict[str, Any]:
        """A transfer's body, signed on the state after the transfers recorded with `accept`.

        `nonce` and `eon` are signed as given; other names replace members of the body.
        """
        nonce = changed.pop("nonce", None) or next(_nonces)
        eon = changed.pop("eon", self.eon)
        leaf = self._leaf(recipient, amount, nonce, LAST_POSITION)
        frontier = self._settled()
        state = active_state_digest(
            contract=CONTRACT,
            token=self.token,
            wallet=self.key.address,
            trail=self.trail,
            eon=eon,
            tx_set_root=frontier.root_with(leaf),
            spent=self.spent + amount,
            gained=0,
        )
        marker = minimum_available_balance_digest(
            contract=CONTRACT, token=self.token, wallet=self.key.address, eon=eon, amount=0
        )
        return {
            "wallet": self.reference,
            "amount": str(amount),
            "nonce": str(nonce),
            "eon_number": eon,
            "recipient": recipient.reference,
            "debit_balance": "0",
            "debit_signature": {"value": self.key.sign(state).hex()},
            "debit_balance_signature": {"value": self.key.sign(marker).hex()},
        } | changed

    def accept(self, recipient: Payer, answer: dict[str, Any]) -> None:
        """Take a transfer that was countersigned into the book."""
        self.frontier = self._settled()
        self.spent += int(answer["amount"])
        self.last = {"recipient": recipient, "answer": answer}

    def _settled(self) -> Frontier:
        if self.last is None:
            return self.frontier
        answer = self.last["answer"]
        return self.frontier.append(
            self._leaf(
                self.last["recipient"],
                int(answer["amount"]),
                int(answer["nonce"]),
                int(answer["position"]),
            )
        )

    def _leaf(self, recipient: Payer, amount: int, nonce: int, position: int) -> bytes:
        return transfer_leaf(
            counterparty=recipient.key.address,
            amount=amount,
            recipient_trail=recipient.trail,
            position=position,
            nonce=nonce,
        )


def admit(world: World, name: str, *, deposit: int = 0, token: Address = ETH) -> Payer:
    """Admit a person and credit a deposit."""
    wallet = world.admit(name, token)
    if deposit:
        world.deposit(name, deposit, token)
    assert wallet.trail_identifier is not None
    return Payer(name, wallet.trail_identifier, world.eon, token)


def admission_body(world: World, name: str, token: Address = ETH, **changed: Any) -> dict[str, Any]:
    """A registration's body, correct for the current eon."""
    request = world.admission(name, token)
    return {
        "authorization": {"value": request.authorization.hex()},
        "token": text_of(token),
        "address": request.address_text,
        "tos_signature": {"value": request.terms_signature.hex()},
    } | changed
