"""A wallet's own record of one eon: what it signed, received, deposited, and so what it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from protocol.encoding import ZERO_HASH
from protocol.orders import Totals
from protocol.trees.passive import passive_root
from protocol.trees.transaction_set import EMPTY, Frontier
from wallet.errors import Deception
from wallet.order_entry import OrderEntry, has_progressed, require_progress
from wallet.verification import (
    ChainIdentity,
    Closing,
    WalletIdentity,
    outgoing_leaf,
    passive_leaves,
    signed_state_digest,
    verify_sent,
    verify_signed,
)
from wallet.wire import (
    AllotmentProof,
    ChainMove,
    MatchedAmounts,
    OrderRow,
    SignedState,
    Transaction,
    WalletState,
)

Entry: TypeAlias = Transaction | OrderEntry
NO_TOTALS = Totals(0, 0)


@dataclass(frozen=True, slots=True)
class Before:
    """What an eon's record needs of the one before.

    `balance` counts until the checkpoint is there, `matched` are the totals of each order that
    lived then, by its `tx_id`, `held_back` what the next allotment returns.
    """

    balance: int = 0
    matched: Mapping[str, MatchedAmounts] = field(default_factory=dict)
    held_back: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What a wallet knew when it asked: no later answer may fall behind it."""

    ids: frozenset[int]
    orders: Mapping[int, OrderRow]


@dataclass(slots=True)
class EonBook:
    """One eon of one wallet. Every entry was verified when it was added.

    `is_first` says that the wallet was admitted in this eon, which therefore has no opening.
    """

    chain: ChainIdentity
    wallet: WalletIdentity
    eon: int
    is_first: bool = False
    before: Before = Before()
    opening: AllotmentProof | None = None
    entries: list[Entry] = field(default_factory=list)
    received: dict[int, Transaction] = field(default_factory=dict)
    orders: dict[int, OrderRow] = field(default_factory=dict)
    deposits: dict[bytes, ChainMove] = field(default_factory=dict)
    requests: dict[bytes, ChainMove] = field(default_factory=dict)
    _frontier: Frontier = EMPTY

    @property
    def sent(self) -> list[Transaction]:
        """The transfers among the entries."""
        return [entry for entry in self.entries if isinstance(entry, Transaction)]

    @property
    def receipts(self) -> list[Transaction]:
        """Receipts in the order in which they were delivered."""
        return sorted(self.received.values(), key=_place)

    @property
    def totals(self) -> Totals:
        """What was spent and gained in this eon, open orders counted by what they traded."""
        return _totals(self.entries[-1]) if self.entries else NO_TOTALS

    @property
    def set_before(self) -> Frontier:
        """The set that a new entry is appended to."""
        if not self.entries:
            return self._frontier
        return self._frontier.append(_leaf(self.entries[-1]))

    @property
    def is_opened(self) -> bool:
        """Whether the eon's opening is known: what orders say is measured by it."""
        return self.opening is not None or self.is_first

    @property
    def start(self) -> int:
        """What the eon began with, as the leaves of orders have it."""
        return self.opening.balance if self.opening else 0

    @property
    def order(self) -> OrderEntry | None:
        """The newest entry, if it is an order."""
        last = self.entries[-1] if self.entries else None
        return last if isinstance(last, OrderEntry) else None

    @property
    def is_free(self) -> bool:
        """Whether no order keeps the wallet from anything else."""
        waiting = any(
            not (row.appended or row.voided or row.processed) for row in self.orders.values()
        )
        return not waiting and (self.order is None or not self.order.blocks)

    @property
    def requested(self) -> int:
        """What the wallet is withdrawing."""
        return sum(r.amount for r in self.requests.values() if not r.slashed)

    @property
    def balance(self) -> int:
        """What the wallet has: opening, deposits, receipts and gains, less what went out."""
        opening = self.opening.balance if self.opening else self.before.balance
        incoming = sum(receipt.amount for receipt in self.received.values())
        deposited = sum(deposit.amount for deposit in self.deposits.values())
        spent, gained = self.totals
        return opening + deposited + incoming + gained - spent - self.requested

    @property
    def available(self) -> int:
        """What may be spent now: the balance without what an order reserves."""
        return self.balance - (self.order.reserved if self.order else 0)

    @property
    def held_back(self) -> int:
        """What the next checkpoint leaves out and the one after returns."""
        deposited = sum(deposit.amount for deposit in self.deposits.values())
        return self.order.held_back(deposited - self.requested) if self.order else 0

    def known(self) -> Known:
        """Note what the wallet knows, before it asks for more."""
        ids = {entry.id for entry in self.entries} | set(self.received) | set(self.orders)
        return Known(frozenset(ids), dict(self.orders))

    def absorb(self, state: WalletState, known: Known) -> None:
        """Verify and take over everything that the operator says of this eon.

        What the wallet knew when it asked must still be there, unchanged or gone on.
        """
        rows: list[Transaction | OrderRow] = [*state.transactions, *state.orders]
        if known.ids - {row.id for row in rows}:
            raise Deception(f"the operator has forgotten a transaction of eon {self.eon}")
        for row in sorted(rows, key=lambda row: row.id):
            if isinstance(row, Transaction):
                self.add(row)
            else:
                if row.id in known.orders:
                    require_progress(known.orders[row.id], row)
                self.add_order(row)
        # Over what the operator lists: pushes of different senders may overtake each other.
        listed = (t for t in state.transactions if t.id in self.received)
        passive_leaves(sorted(listed, key=_place))
        deposits = {move.transaction_hash: move for move in state.deposits}
        for transaction_hash, deposit in self.deposits.items():
            again = deposits.get(transaction_hash)
            if again is None or (again.amount, again.eon) != (deposit.amount, deposit.eon):
                raise Deception(f"the operator has forgotten a deposit of eon {self.eon}")
        self.deposits.update(deposits)
        # A request is remembered from its mining on, and listed when it is confirmed.
        self.requests.update({move.transaction_hash: move for move in state.withdrawal_requests})

    def add(self, transfer: Transaction) -> None:
        """Verify and add one transfer, sent or received; a known one must be the same."""
        if transfer.eon != self.eon:
            raise Deception(f"transfer {transfer.id} belongs to eon {transfer.eon}")
        if not transfer.final:
            raise Deception(f"transfer {transfer.id} is not final")
        if transfer.sender.address == self.wallet.address:
            self._add_sent(transfer)
        elif transfer.recipient.address == self.wallet.address:
            self._add_received(transfer)
        else:
            raise Deception(f"transfer {transfer.id} is somebody else's")

    def add_order(self, row: OrderRow) -> None:
        """Verify and add an order's copy of this eon, or what became of a known one.

        One that is older than what is known, as pushes may be, changes nothing.
        """
        if row.eon != self.eon:
            raise Deception(f"order {row.id} belongs to eon {row.eon}")
        known = self.orders.get(row.id)
        if known == row or (known is not None and has_progressed(row, known)):
            return
        if known is not None:
            require_progress(known, row)
        if row.appended:
            self._add_entry_of(row)
        self.orders[row.id] = row

    def _add_entry_of(self, row: OrderRow) -> None:
        """An order is an entry from its countersignature on; only the newest still changes."""
        at = next((i for i, entry in enumerate(self.entries) if entry.id == row.id), None)
        if at is None:
            if row.voided:
                raise Deception(f"order {row.id} is void, and countersigned")
            before, base = self.set_before, self.totals
        else:
            entry = self.entries[at]
            if not isinstance(entry, OrderEntry):
                raise Deception(f"transaction {row.id} has become an order")
            before, base = entry.before, entry.base
        entry = OrderEntry(
            self.chain,
            self.wallet,
            row,
            self._sells(row),
            base,
            before,
            self.start,
            self.before.matched.get(row.tx_id),
        )
        entry.verify()
        if at is None:
            self._append(entry, before)
        elif at == len(self.entries) - 1:
            self.entries[at] = entry
        else:
            raise Deception(f"order {row.id} has changed after it had ended")

    def _sells(self, row: OrderRow) -> bool:
        mine = (self.wallet.token, self.wallet.address, self.wallet.trail)
        sides = [
            (party.token, party.address, party.trail) == mine for party in (row.debit, row.credit)
        ]
        if sides.count(True) != 1 or row.debit.address != row.credit.address:
            raise Deception(f"order {row.id} is not this wallet's")
        return sides[0]

    def _add_sent(self, transfer: Transaction) -> None:
        known = next((entry for entry in self.entries if entry.id == transfer.id), None)
        if known is None:
            before = self.set_before
            verify_sent(self.chain, self.wallet, before, self.totals, transfer)
            self._append(transfer, before)
        elif not isinstance(known, Transaction) or _substance(known) != _substance(transfer):
            raise Deception(f"transfer {transfer.id} has changed")

    def _append(self, entry: Entry, before: Frontier) -> None:
        self._frontier = before
        self.entries.append(entry)

    def _add_received(self, transfer: Transaction) -> None:
        if transfer.recipient.trail != self.wallet.trail:
            raise Deception(f"receipt {transfer.id} names another trail than the wallet's")
        known = self.received.get(transfer.id)
        if known is not None:
            if _substance(known) != _substance(transfer):
                raise Deception(f"receipt {transfer.id} has changed")
            return
        sender = WalletIdentity(self.wallet.token, transfer.sender.address, transfer.sender.trail)
        verify_signed(self.chain, sender, transfer)
        self.received[transfer.id] = transfer

    def closing(self) -> Closing:
        """Compute what the next checkpoint must commit to for this wallet."""
        last = self.entries[-1] if self.entries else None
        change = sum(entry.change for entry in self.entries if isinstance(entry, OrderEntry))
        state = _committed(last) if last else None
        leaves = passive_leaves(self.receipts)
        return Closing(
            self.balance + change + self.before.held_back - self.held_back,
            signed_state_digest(self.chain, self.wallet, self.eon, state) if state else ZERO_HASH,
            passive_root(leaves) if leaves else ZERO_HASH,
            sum(receipt.amount for receipt in self.received.values()),
            last.position if isinstance(last, Transaction) else 0,
        )

    def handed_on(self) -> Before:
        """What the next eon's record needs of this one."""
        matched = {row.tx_id: row.matched for row in self.orders.values() if row.appended}
        return Before(self.balance, matched, self.held_back)


def _place(receipt: Transaction) -> tuple[int, int]:
    return receipt.position, receipt.id


def before_first(chain: ChainIdentity, wallet: WalletIdentity, state: WalletState) -> Before:
    """What the operator says of the eon before the first that a wallet has a record of."""
    matched = {row.tx_id: row.matched for row in state.orders if row.appended}
    moved_in = sum(deposit.amount for deposit in state.deposits)
    moved_in -= sum(r.amount for r in state.withdrawal_requests if not r.slashed)
    held_back = 0
    for row in state.orders:
        if row.appended and not row.voided:
            is_debit = row.debit.token == wallet.token
            entry = OrderEntry(chain, wallet, row, is_debit, NO_TOTALS, EMPTY, 0, None)
            held_back = entry.held_back(moved_in)
    return Before(0, matched, held_back)


def _leaf(entry: Entry) -> bytes:
    """An entry's leaf once another follows."""
    if isinstance(entry, OrderEntry):
        return entry.leaf
    return outgoing_leaf(entry, entry.position)


def _totals(entry: Entry) -> Totals:
    if isinstance(entry, OrderEntry):
        return entry.totals
    return Totals(entry.state.spent, entry.state.gained)


def _committed(entry: Entry) -> SignedState:
    return entry.committed if isinstance(entry, OrderEntry) else entry.state


def _substance(transfer: Transaction) -> tuple[object, ...]:
    """What a transfer keeps for ever; its delivery proof comes later."""
    return (
        *(transfer.nonce, transfer.amount, transfer.position),
        *(transfer.sender, transfer.recipient, transfer.state),
    )
