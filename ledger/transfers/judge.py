"""The rules of a transfer, in the order in which a wallet sees them fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ledger.accounts import Account
from ledger.identities import Lookup, WalletIdentity
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from ledger.transfers.moment import NonceKey
from ledger.transfers.requests import TransferAccepted, TransferRefused, TransferRequest
from protocol.address import Address
from protocol.signing import is_signed_by
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.transaction_set import EMPTY, Frontier


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a request gets before it is judged: ids for its rows, and its marker's verdict."""

    transfer_id: int
    state_id: int
    marker_id: int
    tx_id: UUID
    marker_is_signed: bool


@dataclass(frozen=True, slots=True)
class Appended:
    """An accepted transfer with what its rows hold beyond the wire's answer."""

    request: TransferRequest
    fresh: Fresh
    transfer: TransferAccepted
    receipt_index: int


@dataclass(slots=True)
class Judge:
    """Judges the requests of one batch, one after the other, on locked accounts.

    An accepted transfer changes the accounts in memory, so that the next request of the batch
    sees it; a refused one changes nothing.
    """

    rules: LedgerRules
    lookup: Lookup
    accounts: dict[int, Account]
    current_eon: int
    eon_is_closed: bool
    intake_refusal: Refusal | None
    time: datetime
    barred_by_terms: set[Address]
    agreement_holders: set[Address]
    sender_nonces: set[NonceKey]
    recipient_nonces: set[NonceKey]
    appended: list[Appended] = field(default_factory=list)

    def judge(self, request: TransferRequest, fresh: Fresh) -> TransferAccepted:
        """Accept a transfer or raise `TransferRefused`."""
        if self.intake_refusal is not None:
            raise TransferRefused(self.intake_refusal)
        if request.debit_address in self.barred_by_terms:
            raise TransferRefused(Refusal("INVALID_TOS_SIGNATURE"))
        self._require_references(request)
        self._require_unused_nonce(request)
        sender, recipient = self._require_parties(request)
        if request.eon != self.current_eon or self.eon_is_closed:
            raise TransferRefused(Refusal("EON_NUMBER_OUT_OF_SYNC"))
        debit, credit = self.accounts[sender.wallet_id], self.accounts[recipient.wallet_id]
        self._require_quota(sender, recipient, debit)
        self._require_money(request, debit, credit)
        if not fresh.marker_is_signed:
            raise TransferRefused(Refusal("INVALID_DEBIT_BALANCE_SIGNATURE"))
        return self._append(request, fresh, sender, recipient)

    def _require_references(self, request: TransferRequest) -> None:
        reasons = []
        for name, field_name in (
            ((request.debit_token, request.debit_address), "wallet"),
            ((request.credit_token, request.credit_address), "recipient"),
        ):
            if name in self.lookup.admitted or name in self.lookup.pending:
                continue
            known = name[0] in self.lookup.tokens
            code = "WALLET_NOT_ADMITTED" if known else "TOKEN_NOT_REGISTERED"
            reasons.append(Refusal(code, field=field_name))
        if reasons:
            raise TransferRefused(*reasons)

    def _require_unused_nonce(self, request: TransferRequest) -> None:
        sender = self.lookup.admitted.get((request.debit_token, request.debit_address))
        recipient = self.lookup.admitted.get((request.credit_token, request.credit_address))
        reasons = [
            Refusal("unique", f"eon_number, {side} and nonce must be unique together")
            for side, wallet, used in (
                ("wallet", sender, self.sender_nonces),
                ("recipient", recipient, self.recipient_nonces),
            )
            if wallet and (wallet.wallet_id, request.eon, request.nonce) in used
        ]
        if reasons:
            raise TransferRefused(*reasons)

    def _require_parties(self, request: TransferRequest) -> tuple[WalletIdentity, WalletIdentity]:
        sender = self.lookup.admitted.get((request.debit_token, request.debit_address))
        recipient = self.lookup.admitted.get((request.credit_token, request.credit_address))
        reasons = []
        if recipient is None:
            reasons.append(Refusal("CREDIT_WALLET_NOT_ADMITTED"))
        if sender is None:
            reasons.append(Refusal("DEBIT_WALLET_NOT_ADMITTED"))
        if sender is not None and sender == recipient:
            reasons.append(Refusal("DEBIT_CREDIT_WALLET_ADDRESS_MATCH"))
        if request.debit_token != request.credit_token:
            reasons.append(Refusal("DEBIT_CREDIT_TOKEN_ADDRESS_MISMATCH"))
        if sender is None or recipient is None or reasons:
            raise TransferRefused(reasons[0])
        return sender, recipient

    def _require_quota(
        self, sender: WalletIdentity, recipient: WalletIdentity, debit: Account
    ) -> None:
        exempt = {self.rules.operator.address, self.rules.sla_recipient}
        if exempt.isdisjoint((sender.address, recipient.address)) and (
            debit.entry_count >= self.rules.sla_threshold
            and sender.address not in self.agreement_holders
        ):
            raise TransferRefused(Refusal("DEBIT_WALLET_EXCEEDED_SLA"))

    def _require_money(self, request: TransferRequest, debit: Account, credit: Account) -> None:
        if debit.open_order_id is not None:
            raise TransferRefused(Refusal("DEBIT_WALLET_CANNOT_ADD_TRANSACTION"))
        if credit.open_order_id is not None:
            raise TransferRefused(Refusal("CREDIT_WALLET_CANNOT_ADD_TRANSACTION"))
        remainder = debit.loosely_available - request.amount
        if remainder < 0:
            raise TransferRefused(Refusal("DEBIT_WALLET_OVERSPENDING"))
        if request.marker_amount > remainder:
            raise TransferRefused(Refusal("DEBIT_WALLET_BALANCE_MARKER_EXCEED_BALANCE"))

    def _append(
        self,
        request: TransferRequest,
        fresh: Fresh,
        sender: WalletIdentity,
        recipient: WalletIdentity,
    ) -> TransferAccepted:
        """Compute the state that must have been signed, countersign it and move the money."""
        debit, credit = self.accounts[sender.wallet_id], self.accounts[recipient.wallet_id]
        frontier = Frontier.from_bytes(debit.frontier) if debit.frontier else EMPTY
        if debit.last_leaf is not None:
            frontier = frontier.append(debit.last_leaf)
        root = frontier.root_with(_leaf(request, recipient, LAST_POSITION))
        spent = debit.spent + request.amount
        digest = active_state_digest(
            contract=self.rules.contract,
            token=sender.token,
            wallet=sender.address,
            trail=sender.trail,
            eon=request.eon,
            tx_set_root=root,
            spent=spent,
            gained=debit.gained,
        )
        if not is_signed_by(digest, request.state_signature, sender.address):
            raise TransferRefused(Refusal("INVALID_DEBIT_SIGNATURE"))
        transfer = TransferAccepted(
            id=fresh.transfer_id,
            tx_id=fresh.tx_id,
            sender=sender,
            recipient=recipient,
            amount=request.amount,
            eon=request.eon,
            nonce=request.nonce,
            position=credit.receipt_total,
            time=self.time,
            spent=spent,
            gained=debit.gained,
            tx_set_hash=root,
            tx_set_index=debit.entry_count,
            tx_set_proof=tuple(frontier.path_with()),
            wallet_signature=request.state_signature,
            operator_signature=self.rules.operator.sign(digest),
        )
        self.appended.append(Appended(request, fresh, transfer, credit.receipt_count))
        debit.frontier = frontier.to_bytes()
        debit.last_leaf = _leaf(request, recipient, transfer.position)
        debit.last_position = transfer.position
        debit.last_transfer_id, debit.last_state_id = fresh.transfer_id, fresh.state_id
        debit.entry_count += 1
        debit.spent = spent
        credit.receipt_total += request.amount
        credit.receipt_count += 1
        self.sender_nonces.add((sender.wallet_id, request.eon, request.nonce))
        self.recipient_nonces.add((recipient.wallet_id, request.eon, request.nonce))
        return transfer


def _leaf(request: TransferRequest, recipient: WalletIdentity, position: int) -> bytes:
    return transfer_leaf(
        counterparty=recipient.address,
        amount=request.amount,
        recipient_trail=recipient.trail,
        position=position,
        nonce=request.nonce,
    )
