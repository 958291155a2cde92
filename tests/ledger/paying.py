"""Wallets that pay in the tests: their own view of their sets, hashed from scratch every time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from ledger.audit import verify_ledger
from ledger.balances import Balances, balances_of
from ledger.checkpoint import CheckpointSummary, build_checkpoint
from ledger.closing import close_eon
from ledger.refusals import Refusal
from ledger.transfers import TransferAccepted, TransferRequest, Verdict, append_transfers
from models import Slash, Token, Wallet, WithdrawalRequest
from protocol.address import Address
from protocol.markers import minimum_available_balance_digest
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees import plain
from tests.ledger.world import ETH, World, key


@dataclass(frozen=True)
class Sent:
    """A transfer as its sender remembers it."""

    recipient: Address
    trail: int
    amount: int
    nonce: int
    position: int

    def leaf(self, position: int) -> bytes:
        return transfer_leaf(
            counterparty=self.recipient,
            amount=self.amount,
            recipient_trail=self.trail,
            position=position,
            nonce=self.nonce,
        )


@dataclass
class Bank:
    """Pays between named wallets of a world and remembers what each has sent."""

    world: World
    sent: dict[tuple[str, Address, int], list[Sent]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def wallet(self, name: str, token: Address = ETH) -> Wallet:
        with self.world.begin() as session:
            address = self.world.rules.operator.address if name == "operator" else key(name).address
            query = select(Wallet).join(Token, Token.id == Wallet.token_id)
            row = session.scalar(query.where(Token.address == token, Wallet.address == address))
        assert row is not None, f"{name} has no wallet"
        return row

    def request(
        self,
        sender: str,
        recipient: str,
        amount: int,
        nonce: int,
        *,
        token: Address = ETH,
        credit_token: Address | None = None,
        eon: int | None = None,
        marker: int = 0,
        marker_eon: int | None = None,
        stale_leaf: bool = False,
    ) -> TransferRequest:
        """Sign a transfer on top of what `sender` has sent; `stale_leaf` forgets its position."""
        eon = self.world.eon if eon is None else eon
        payer = key(sender)
        own = self.wallet(sender, token)
        other = self.wallet(recipient, credit_token or token)
        past = self.sent[sender, token, eon]
        leaves = [entry.leaf(entry.position) for entry in past]
        if stale_leaf:
            leaves[-1] = past[-1].leaf(LAST_POSITION)
        new = Sent(bytes(other.address), other.trail_identifier or 0, amount, nonce, 0)
        state = active_state_digest(
            contract=self.world.rules.contract,
            token=token,
            wallet=payer.address,
            trail=own.trail_identifier or 0,
            eon=eon,
            tx_set_root=plain.root([*leaves, new.leaf(LAST_POSITION)]),
            spent=sum(entry.amount for entry in past) + amount,
            gained=0,
        )
        promise = minimum_available_balance_digest(
            contract=self.world.rules.contract,
            token=token,
            wallet=payer.address,
            eon=eon if marker_eon is None else marker_eon,
            amount=marker,
        )
        return TransferRequest(
            debit_token=token,
            debit_address=payer.address,
            credit_token=credit_token or token,
            credit_address=bytes(other.address),
            amount=amount,
            eon=eon,
            nonce=nonce,
            marker_amount=marker,
            marker_signature=payer.sign(promise),
            state_signature=payer.sign(state),
        )

    def append(self, *requests: TransferRequest) -> list[Verdict]:
        """Append requests as one batch."""
        with self.connection() as connection:
            return append_transfers(connection, self.world.rules, requests)

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A raw connection of the world's engine."""
        borrowed = self.world.engine.raw_connection()
        try:
            yield borrowed.driver_connection
        finally:
            borrowed.close()

    def pay(self, sender: str, recipient: str, amount: int, nonce: int, **how: Any) -> Verdict:
        """Pay and remember what was accepted."""
        request = self.request(sender, recipient, amount, nonce, **how)
        [verdict] = self.append(request)
        if isinstance(verdict, TransferAccepted):
            self.remember(sender, verdict)
        return verdict

    def remember(self, sender: str, accepted: TransferAccepted) -> None:
        """Note an accepted transfer, as its sender does."""
        recipient = accepted.recipient
        entry = Sent(
            recipient.address,
            recipient.trail,
            accepted.amount,
            accepted.nonce,
            accepted.position,
        )
        self.sent[sender, recipient.token, accepted.eon].append(entry)

    def must_pay(self, sender: str, recipient: str, amount: int, nonce: int, **how: Any) -> Any:
        """Pay; the transfer must be accepted."""
        verdict = self.pay(sender, recipient, amount, nonce, **how)
        assert isinstance(verdict, TransferAccepted), verdict
        return verdict

    def refusal(self, sender: str, recipient: str, amount: int, nonce: int, **how: Any) -> str:
        """Pay; the transfer must be refused. Return the code."""
        verdict = self.pay(sender, recipient, amount, nonce, **how)
        assert isinstance(verdict, Refusal), verdict
        return verdict.code

    def balances(self, name: str, token: Address = ETH) -> Balances:
        wallet = self.wallet(name, token)
        with self.world.begin() as session:
            return balances_of(session, self.world.rules, wallet.id)

    def close(self, eon: int) -> None:
        with self.world.begin() as session:
            close_eon(session, self.world.rules, eon)

    def checkpoint(self, eon: int) -> CheckpointSummary:
        """Close the eon before and build the checkpoint of `eon`."""
        self.close(eon - 1)
        return build_checkpoint(self.world.engine, self.world.rules, eon)

    def turn(self) -> CheckpointSummary:
        """Go on to the next eon and make its checkpoint."""
        eon = self.world.eon + 1
        self.world.move_to_eon(eon)
        return self.checkpoint(eon)

    def queue_slash(self, name: str, token: Address = ETH) -> None:
        """Let a slash of all that a wallet has requested be decided, whether it is due or not."""
        wallet = self.wallet(name, token)
        with self.world.begin() as session:
            slash = Slash(wallet_id=wallet.id, eon=self.world.eon, number=1)
            session.add(slash)
            session.flush()
            session.execute(
                update(WithdrawalRequest)
                .where(WithdrawalRequest.wallet_id == wallet.id)
                .values(status="slash_queued", slash_id=slash.id)
            )

    def faults(self) -> list[str]:
        with self.world.begin() as session:
            return verify_ledger(session, self.world.rules)
