"""A wallet's own record of one eon: what it signed, received, deposited, and so what it has."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.markers import minimum_available_balance_digest
from protocol.signing import Signer, format_signature, is_signed_by
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.transaction_set import Frontier
from wallet.errors import Deception, NotPossible
from wallet.verification import (
    ChainIdentity,
    Closing,
    WalletIdentity,
    closing_of,
    outgoing_leaf,
    passive_leaves,
    state_digest,
    verify_entry,
)
from wallet.wire import AllotmentProof, ChainMove, Transaction, WalletState

EMPTY = Frontier(0, ())


@dataclass(frozen=True, slots=True)
class SignedTransfer:
    """A transfer as the wallet signed it, before the operator has seen it."""

    body: dict[str, object]
    nonce: int
    amount: int
    state_digest: bytes


@dataclass(slots=True)
class EonBook:
    """One eon of one wallet. Every entry was verified when it was added."""

    chain: ChainIdentity
    wallet: WalletIdentity
    eon: int
    opening: AllotmentProof | None = None
    carried: int = 0
    sent: list[Transaction] = field(default_factory=list)
    received: dict[int, Transaction] = field(default_factory=dict)
    deposits: dict[bytes, ChainMove] = field(default_factory=dict)
    requests: dict[bytes, ChainMove] = field(default_factory=dict)
    _frontier: Frontier = EMPTY

    @property
    def receipts(self) -> list[Transaction]:
        """Receipts in the order in which they were delivered."""
        return sorted(self.received.values(), key=_place)

    @property
    def spent(self) -> int:
        """Everything sent in this eon."""
        return self.sent[-1].state.spent if self.sent else 0

    @property
    def balance(self) -> int:
        """What may be spent now: opening, deposits and receipts, less what went out."""
        opening = self.opening.balance if self.opening else self.carried
        incoming = sum(receipt.amount for receipt in self.received.values())
        deposited = sum(deposit.amount for deposit in self.deposits.values())
        requested = sum(r.amount for r in self.requests.values() if not r.slashed)
        return opening + deposited + incoming - self.spent - requested

    @property
    def known(self) -> frozenset[int]:
        """The transfers in this record, by id."""
        return frozenset((*self.received, *(transfer.id for transfer in self.sent)))

    def absorb(self, state: WalletState, known: frozenset[int] = frozenset()) -> None:
        """Verify and take over everything that the operator says of this eon.

        What the wallet knew when it asked (`known`) must still be there, unchanged; what it has
        learned since may be younger than the answer.
        """
        for transaction in state.transactions:
            self.add(transaction)
        if not known <= {transaction.id for transaction in state.transactions}:
            raise Deception(f"the operator has forgotten a transfer of eon {self.eon}")
        # Over what the operator lists: pushes of different senders may overtake each other.
        listed = (t for t in state.transactions if t.id in self.received)
        passive_leaves(sorted(listed, key=_place))
        for deposit in state.deposits:
            self.deposits[deposit.transaction_hash] = deposit
        for request in state.withdrawal_requests:
            self.requests[request.transaction_hash] = request

    def add(self, transfer: Transaction) -> None:
        """Verify and add one transfer, sent or received; a known one must be the same."""
        if transfer.eon != self.eon:
            raise Deception(f"transfer {transfer.id} belongs to eon {transfer.eon}")
        if not transfer.final:
            raise Deception(f"transfer {transfer.id} is not final")
        if self._is_mine(transfer):
            self._add_sent(transfer)
        elif transfer.recipient.address == self.wallet.address:
            self._add_received(transfer)
        else:
            raise Deception(f"transfer {transfer.id} is somebody else's")

    def _is_mine(self, transfer: Transaction) -> bool:
        return transfer.sender.address == self.wallet.address

    def _add_sent(self, transfer: Transaction) -> None:
        known = next((entry for entry in self.sent if entry.id == transfer.id), None)
        if known is not None:
            same = (known.nonce, known.amount, known.position, known.state.tx_set_root)
            if same != (
                transfer.nonce,
                transfer.amount,
                transfer.position,
                transfer.state.tx_set_root,
            ):
                raise Deception(f"transfer {transfer.id} has changed")
            return
        self._frontier = verify_entry(self.chain, self.wallet, self.sent, transfer, self._frontier)
        self.sent.append(transfer)

    def _add_received(self, transfer: Transaction) -> None:
        if transfer.recipient.trail != self.wallet.trail:
            raise Deception(f"receipt {transfer.id} names another trail than the wallet's")
        sender = WalletIdentity(self.wallet.token, transfer.sender.address, transfer.sender.trail)
        digest = state_digest(self.chain, sender, transfer)
        countersigned = transfer.state.operator_signature
        if countersigned is None or not is_signed_by(digest, countersigned, self.chain.operator):
            raise Deception(f"receipt {transfer.id} is not countersigned")
        if not is_signed_by(digest, transfer.state.wallet_signature, sender.address):
            raise Deception(f"receipt {transfer.id} is not signed by its sender")
        self.received[transfer.id] = transfer

    def sign_transfer(
        self,
        signer: Signer,
        recipient: WalletIdentity,
        amount: int,
        nonce: int,
        *,
        keep: int | None = None,
    ) -> SignedTransfer:
        """Sign the state after paying `amount`, and a marker of what stays.

        `keep` lowers the marker; a marker below a pending withdrawal request would let a malicious
        operator cancel that request, so it is refused.
        """
        remainder = self.balance - amount
        if amount < 0 or remainder < 0:
            raise NotPossible(f"the wallet holds {self.balance}, not {amount}")
        marker = remainder if keep is None else keep
        requested = sum(r.amount for r in self.requests.values() if not r.slashed)
        if marker < requested and keep is not None:
            raise NotPossible("a marker below what is being withdrawn would let it be cancelled")
        frontier = self._frontier
        if self.sent:
            frontier = frontier.append(outgoing_leaf(self.sent[-1], self.sent[-1].position))
        leaf = transfer_leaf(
            counterparty=recipient.address,
            amount=amount,
            recipient_trail=recipient.trail,
            position=LAST_POSITION,
            nonce=nonce,
        )
        digest = active_state_digest(
            contract=self.chain.contract,
            token=self.wallet.token,
            wallet=self.wallet.address,
            trail=self.wallet.trail,
            eon=self.eon,
            tx_set_root=frontier.root_with(leaf),
            spent=self.spent + amount,
            gained=0,
        )
        marker_digest = minimum_available_balance_digest(
            contract=self.chain.contract,
            token=self.wallet.token,
            wallet=self.wallet.address,
            eon=self.eon,
            amount=marker,
        )
        body: dict[str, object] = {
            "wallet": _reference(self.wallet),
            "amount": str(amount),
            "nonce": str(nonce),
            "eon_number": self.eon,
            "recipient": _reference(recipient),
            "debit_balance": str(marker),
            "debit_signature": {"value": format_signature(signer.sign(digest))},
            "debit_balance_signature": {"value": format_signature(signer.sign(marker_digest))},
        }
        return SignedTransfer(body, nonce, amount, digest)

    def closing(self) -> Closing:
        """Compute what the next checkpoint must commit to for this wallet."""
        return closing_of(self.chain, self.wallet, self.balance, self.sent, self.receipts)


def _place(receipt: Transaction) -> tuple[int, int]:
    return receipt.position, receipt.id


def _reference(wallet: WalletIdentity) -> dict[str, str]:
    return {"address": wallet.address.hex(), "token": wallet.token.hex()}
