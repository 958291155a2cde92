"""A wallet of one address and token: it registers, deposits, pays, is paid, withdraws.

It signs only what it has computed itself and believes only what it has verified.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

from protocol.address import Address, checksum_address
from protocol.clock import EonClock
from protocol.signing import format_signature
from protocol.states import admission_digest
from protocol.terms import terms_digest
from protocol.withdrawals import delegated_withdrawal_digest
from wallet.book import Before, EonBook, before_first
from wallet.errors import (
    Deception,
    MalformedAnswer,
    NotPossible,
    OperatorRefused,
    WalletError,
)
from wallet.keys import Keys
from wallet.operator_api import OperatorApi, SignedAdmission
from wallet.parent_chain import Mined, ParentChain
from wallet.payment import sign_transfer
from wallet.stream import Event, EventStream, wallet_stream
from wallet.verification import (
    ChainIdentity,
    WalletIdentity,
    verify_allotment,
    verify_membership,
    verify_registration,
)
from wallet.wire import (
    AllotmentProof,
    ChainMove,
    OrderRow,
    Registration,
    Transaction,
    read_transaction,
)

REGISTRATION_TIMEOUT_S: Final = 30
SYNC_PAUSE_S: Final = 0.5
NONCE_BITS: Final = 53
TRANSACTION_EVENTS: Final = frozenset(
    {"TRANSFER_CONFIRMATION", "SWAP_CONFIRMATION", "MATCHED_SWAP"}
)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a wallet lives: its operator, its push stream, its own view of the chain."""

    api: OperatorApi
    stream: EventStream
    parent_chain: ParentChain
    chain: ChainIdentity


async def open_home(api: OperatorApi, parent_chain: ParentChain) -> Home:
    """Connect to an operator; the chain's identity comes from the contract itself."""
    chain = await asyncio.to_thread(parent_chain.identity)
    return Home(api, EventStream(api.session, api.url), parent_chain, chain)


class Wallet:
    """One address in one token."""

    def __init__(self, home: Home, keys: Keys, token: Address) -> None:
        self.home = home
        self.keys = keys
        self.token = token
        self.registration: Registration | None = None
        self._identity: WalletIdentity | None = None
        self._books: dict[int, EonBook] = {}
        self._payment = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._caught: WalletError | None = None

    @property
    def identity(self) -> WalletIdentity:
        """The admitted wallet. Raises `NotPossible` before it is."""
        if self._identity is None:
            raise NotPossible("the wallet is not registered")
        return self._identity

    @property
    def stream_name(self) -> str:
        """The stream that tells of this wallet."""
        return wallet_stream(self.token, self.keys.address)

    @property
    def book(self) -> EonBook:
        """The newest eon's record. Raises `NotPossible` before the first `sync`."""
        if not self._books:
            raise NotPossible("the wallet has not been synchronised")
        return self._books[max(self._books)]

    def book_of(self, eon: int) -> EonBook | None:
        """The record of an eon, as long as it is kept."""
        return self._books.get(eon)

    @property
    def balance(self) -> int:
        """What the wallet can spend, in smallest units."""
        return self.book.balance

    async def register(self) -> WalletIdentity:
        """Be admitted, or find that one already is; verify both signatures either way."""
        await self.home.stream.subscribe([self.stream_name])
        known = await self.home.api.whois(self.token, self.keys.address)
        if known is None:
            await self.home.api.admit(await self.sign_admission())
            event = await self.home.stream.wait_for(
                "REGISTERED_WALLET", self.stream_name, timeout_s=REGISTRATION_TIMEOUT_S
            )
            known = Registration.read(event.payload)
        return self.accept_registration(known)

    async def sign_admission(self) -> SignedAdmission:
        """Sign the terms in force and the zero state of the operator's current eon."""
        status = await self.home.api.status()
        terms = await self.home.api.terms()
        zero_state = admission_digest(
            contract=self.home.chain.contract,
            token=self.token,
            wallet=self.keys.address,
            trail=0,
            eon=status.eon,
        )
        agreed = terms_digest(terms.terms_of_service, terms.privacy_policy)
        return SignedAdmission(
            self.token,
            self.keys.address,
            self.keys.signer.sign(zero_state),
            self.keys.signer.sign(agreed),
        )

    def accept_registration(self, registration: Registration) -> WalletIdentity:
        """Verify an admission and take it as one's own."""
        identity = verify_registration(self.home.chain, self.token, self.keys.address, registration)
        if self._identity is not None and self._identity != identity:
            raise Deception("the operator has given this wallet another trail")
        self.registration = registration
        self._identity = identity
        return identity

    async def sync(self) -> EonBook:
        """Read and verify everything of the current eon, and of the one before at its turn.

        Raises whatever a pushed message was caught at, too.
        """
        async with self._reading:
            if self._caught is not None:
                raise self._caught
            eon = (await self.home.api.status()).eon
            previous = self._books.get(eon - 1)
            if previous is None and self._lived_in(eon - 1):
                previous = self._new_book(eon - 1)
                previous.before = await self._read_before(eon - 2)
                await self._refresh(previous, None)
                self._books[eon - 1] = previous
            elif previous is not None and eon not in self._books:
                await self._refresh(previous, self._books.get(eon - 2))
            book = self._books.get(eon) or self._new_book(eon)
            await self._refresh(book, previous)
            self._books[eon] = book
            self._books = {e: b for e, b in self._books.items() if e >= eon - 3}
            return book

    def _new_book(self, eon: int) -> EonBook:
        is_first = self.registration is not None and self.registration.eon == eon
        return EonBook(self.home.chain, self.identity, eon, is_first)

    def _lived_in(self, eon: int) -> bool:
        return eon > 0 and self.registration is not None and self.registration.eon <= eon

    async def _read_before(self, eon: int) -> Before:
        """What a wallet that remembers nothing takes on trust of the eon before its first."""
        if not self._lived_in(eon):
            return Before()
        state = await self.home.api.wallet_state(eon, self.token, self.keys.address)
        return before_first(self.home.chain, self.identity, state)

    async def _refresh(self, book: EonBook, previous: EonBook | None) -> None:
        known = book.known()
        state = await self.home.api.wallet_state(book.eon, self.token, self.keys.address)
        self.accept_registration(state.registration)
        if previous is not None:
            if state.proof is not None and book.opening is None:
                # Deposits, requests and trades of an eon's last blocks are known after it turned.
                await self._refresh(previous, None)
            book.before = previous.handed_on()
        if state.proof is not None and book.opening is None:
            self._accept_opening(book, state.proof, previous)
        book.absorb(state, known)

    def _accept_opening(
        self, book: EonBook, proof: AllotmentProof, previous: EonBook | None
    ) -> None:
        if proof.eon != book.eon:
            raise Deception(f"a proof of eon {proof.eon} for eon {book.eon}")
        knows = previous is not None and (previous.is_opened or previous.eon == 1)
        closing = previous.closing() if previous is not None and knows else None
        verify_allotment(self.home.chain, self.identity, proof, closing)
        book.opening = proof

    async def verify_on_chain(self, eon: int) -> bytes:
        """Check the eon's proof against the root that the contract holds, and that root against
        the money that is there; return the root."""
        book = self._books.get(eon)
        if book is None or book.opening is None:
            raise NotPossible(f"the wallet has no proof of eon {eon}")
        chain = self.home.parent_chain
        root = await asyncio.to_thread(chain.checkpoint_root, eon)
        if root is None:
            raise NotPossible(f"the contract holds no checkpoint of eon {eon}")
        trail = await asyncio.to_thread(chain.token_trail, self.token)
        commitment, claimed = verify_allotment(self.home.chain, self.identity, book.opening, None)
        verify_membership(commitment, trail, book.opening, root)
        funds = await asyncio.to_thread(chain.managed_funds, self.token, eon)
        if claimed > funds:
            raise Deception(f"the checkpoint of eon {eon} allots {claimed}, there are {funds}")
        return root

    async def look_up(self, address: Address) -> WalletIdentity:
        """Find another wallet of the same token and verify that it is admitted."""
        registration = await self.home.api.whois(self.token, address)
        if registration is None:
            raise NotPossible("the recipient is not registered")
        return verify_registration(self.home.chain, self.token, address, registration)

    async def pay(
        self, recipient: Address, amount: int, *, nonce: int | None = None
    ) -> Transaction:
        """Pay, and verify the countersigned state that comes back.

        At the turn of an eon the operator asks to synchronise; then once more, not for ever.
        """
        async with self._payment:
            payee = await self.look_up(recipient)
            for last_try in (False, True):
                book = await self.sync() if not self._books or last_try else self.book
                signed = sign_transfer(
                    book, self.keys.signer, payee, amount, fresh_nonce() if nonce is None else nonce
                )
                try:
                    answer = await self.home.api.transfer(signed.body)
                except OperatorRefused as refusal:
                    if refusal.code != "EON_NUMBER_OUT_OF_SYNC" or last_try:
                        raise
                    await asyncio.sleep(SYNC_PAUSE_S)
                    continue
                if (answer.nonce, answer.amount) != (signed.nonce, signed.amount):
                    raise Deception("the receipt is of another transfer than the one signed")
                book.add(answer)
                return answer
        raise NotPossible("the operator's eon moves faster than the wallet")

    def hear(self, event: Event) -> None:
        """Take a pushed receipt or order of the current eon into the record, verified like any
        other; what is wrong with it is raised by the next `sync`."""
        ours = event.stream.lower() == self.stream_name.lower() and self._books
        if not ours or self._identity is None or event.name not in TRANSACTION_EVENTS:
            return
        try:
            row = read_transaction(event.payload)
            if row.eon != self.book.eon:
                return
            if isinstance(row, OrderRow):
                if self.book.is_opened:
                    self.book.add_order(row)
            elif row.sender.address != self.keys.address:
                self.book.add(row)
        except (Deception, MalformedAnswer) as caught:
            self._caught = caught

    async def deposit(self, amount: int) -> Mined:
        """Deposit into the contract; the operator credits it once its block is confirmed."""
        return await asyncio.to_thread(
            self.home.parent_chain.deposit, self.keys.private_key, self.token, amount
        )

    def withdrawable(self) -> int:
        """Tell how much can be asked for now: within the last eon's proof and the balance."""
        before = self._books.get(self.book.eon - 1)
        if before is None or before.opening is None:
            return 0
        asked = sum(r.amount for r in (*before.requests.values(), *self.book.requests.values()))
        return max(0, min(before.opening.balance - asked, self.balance))

    @property
    def withdrawing(self) -> int:
        """What the wallet has asked for in this eon and the last: what a marker could cancel."""
        books = (self._books.get(eon) for eon in (self.book.eon - 1, self.book.eon))
        return sum(book.requested for book in books if book is not None)

    async def request_withdrawal(self, amount: int) -> Mined:
        """Ask the contract for `amount` with the proof of the eon before.

        Not from a wallet that traded: each order signs markers of 0 for all its eons, with which
        a malicious operator could cancel the request. Such money leaves by its owner's wallet.
        """
        if any(book.orders for book in self._books.values()):
            raise NotPossible("the markers of its orders would let the request be cancelled")
        before = self._books.get(self.book.eon - 1)
        if before is None or before.opening is None or amount > self.withdrawable():
            raise NotPossible(f"only {self.withdrawable()} can be withdrawn now")
        await self.verify_on_chain(before.eon)
        mined = await asyncio.to_thread(
            self.home.parent_chain.request_withdrawal,
            self.keys.private_key,
            self.token,
            before.opening,
            amount,
        )
        self._remember_request(mined, amount)
        return mined

    async def delegate_withdrawal(self, amount: int) -> None:
        """Have the operator ask the contract for `amount` in our name, at its own cost, in this
        eon.

        The contract then wants no proof, only our signature, which covers what is asked for in
        the eon already: it is good for one request. Not from a wallet that traded.
        """
        if any(book.orders for book in self._books.values()):
            raise NotPossible("the markers of its orders would let the request be cancelled")
        if not 0 < amount <= self.withdrawable():
            raise NotPossible(f"only {self.withdrawable()} can be withdrawn now")
        home = self.home
        eon = await asyncio.to_thread(home.parent_chain.eon)
        pending = await asyncio.to_thread(
            home.parent_chain.pending_withdrawal, self.token, self.keys.address, eon
        )
        clock = EonClock(home.chain.genesis_block, home.chain.blocks_per_eon)
        expiry = clock.last_block(eon)
        digest = delegated_withdrawal_digest(
            contract=home.chain.contract,
            token=self.token,
            holder=self.keys.address,
            expiry_block=expiry,
            amount=amount,
            pending=pending,
        )
        await home.api.delegate_withdrawal(
            {
                "signature": format_signature(self.keys.signer.sign(digest)),
                "wallet": checksum_address(self.keys.address).removeprefix("0x"),
                "token": checksum_address(self.token).removeprefix("0x"),
                "amount": str(amount),
                "expiry": str(expiry),
            }
        )

    def _remember_request(self, mined: Mined, amount: int) -> None:
        """Spend it no more: the operator lists a request only when it is confirmed."""
        chain = self.home.chain
        eon = EonClock(chain.genesis_block, chain.blocks_per_eon).eon_of(mined.block)
        book = self._books.get(eon)
        if book is not None:
            move = ChainMove(mined.transaction_hash, mined.block, eon, amount, slashed=False)
            book.requests.setdefault(mined.transaction_hash, move)


def fresh_nonce() -> int:
    """A nonce that nobody has used: 53 random bits, exact in every JSON reader."""
    return secrets.randbits(NONCE_BITS)
