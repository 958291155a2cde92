"""An order as an entry of one of its trader's two sets: what it says, and what must be true of it.

Whatever the trader signed proves itself; the operator's word are the countersignatures and the
matched amounts. Raises `Deception`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.matching import Order
from protocol.orders import (
    CLOSED_START,
    OrderState,
    OrderTerms,
    Side,
    Totals,
    credit_closing_states,
    debit_cancellation_states,
)
from protocol.signing import is_signed_by
from protocol.trees.plain import verify_path
from protocol.trees.transaction_set import Frontier
from wallet.errors import Deception
from wallet.verification import ChainIdentity, WalletIdentity, signed_state_digest
from wallet.wire import MatchedAmounts, OrderRow, Party, SignedState

NOTHING_MATCHED = MatchedAmounts(0, 0)


def terms_of(row: OrderRow) -> OrderTerms:
    """What a row says, as its leaf hashes it."""
    return OrderTerms(
        row.debit.token,
        row.credit.token,
        row.credit.trail,
        row.amount,
        row.amount_swapped,
        row.nonce,
    )


@dataclass(frozen=True, slots=True)
class OrderEntry:
    """An order in the set of one wallet in one eon.

    `base` are the wallet's totals and `before` its set without the order, `start` what its eon
    began with, `earlier` what was matched in the order's earlier eons: None in its first.
    """

    chain: ChainIdentity
    wallet: WalletIdentity
    row: OrderRow
    is_debit: bool
    base: Totals
    before: Frontier
    start: int
    earlier: MatchedAmounts | None

    @property
    def id(self) -> int:
        """The row's number."""
        return self.row.id

    @property
    def terms(self) -> OrderTerms:
        """What the order says."""
        return terms_of(self.row)

    @property
    def signed_start(self) -> int:
        """The start in the leaf that was signed at placement: later copies have fixed ones."""
        if self.earlier is None:
            return self.start
        return self.row.amount if self.is_debit else 0

    @property
    def sold_now(self) -> int:
        """What was sold in this eon."""
        return self.row.matched.sold - (self.earlier or NOTHING_MATCHED).sold

    @property
    def bought_now(self) -> int:
        """What was bought in this eon."""
        return self.row.matched.bought - (self.earlier or NOTHING_MATCHED).bought

    @property
    def blocks(self) -> bool:
        """Whether the order keeps the wallet from anything else in its eon."""
        return not self.row.is_ended

    @property
    def reserved(self) -> int:
        """What the wallet holds and may not spend."""
        if not self.is_debit or self.row.complete or not self.blocks:
            return 0
        return self.row.amount - self.row.matched.sold

    @property
    def totals(self) -> Totals:
        """The wallet's totals with the order, unsold money returned and bought money counted."""
        row = self.row
        if self.is_debit:
            if row.debit_cancellation is not None:
                return _totals(row.debit_cancellation)
            spent, gained = _totals(row.debit_state)
            if row.finalisation_state is not None:
                return Totals(spent, gained + row.matched.sold - self.sold_now)
            return Totals(spent, gained + row.amount - self.sold_now)
        ended = row.finalisation_state or row.credit_cancellation
        if ended is not None:
            return _totals(ended)
        spent, gained = _totals(row.credit_state)
        return Totals(spent, gained + self.bought_now)

    @property
    def leaf(self) -> bytes:
        """The order's leaf once another entry follows."""
        return self.terms.leaf(self.start if self.is_debit else CLOSED_START)

    @property
    def committed(self) -> SignedState:
        """The state that a checkpoint holds if this is the set's last entry."""
        row = self.row
        if self.is_debit:
            return row.debit_cancellation or row.debit_state
        if self.fulfilment_is_due:
            return row.finalisation_state or row.fulfilment_state
        return row.finalisation_state or row.credit_cancellation or row.credit_state

    @property
    def committed_start(self) -> int:
        """The start in the order's leaf in the set of `committed`."""
        state = self.committed
        if self.is_debit:
            return self.signed_start if state is self.row.debit_state else self.start
        return self.signed_start if state is self.row.credit_state else CLOSED_START

    @property
    def committed_leaf(self) -> bytes:
        """The order's leaf in the set of `committed`."""
        return self.terms.leaf(self.committed_start)

    @property
    def fulfilment_is_due(self) -> bool:
        """Whether the operator owes its signature under the fulfilment state: a state that claims
        more than this eon's gains could never be answered for."""
        return self.row.complete and self.bought_now >= self.row.amount_swapped

    @property
    def change(self) -> int:
        """What a finalised buy order did not need: no state shows it, the next allotment does."""
        if not self.is_debit or self.row.finalisation_state is None:
            return 0
        return self.row.amount - self.row.matched.sold

    def held_back(self, moved_in: int) -> int:
        """What the next allotment leaves out while the order is open, on a contract that could
        not prove it; `moved_in` are the wallet's deposits less its withdrawals of this eon."""
        row, edition = self.row, self.chain.edition
        if row.complete or row.is_ended:
            return 0
        if self.is_debit:
            return edition.hold_back_unsold(moved_in=moved_in, matched_out=row.matched.sold)
        return edition.hold_back(
            sell=row.amount,
            buy=row.amount_swapped,
            matched_out=row.matched.sold,
            matched_in=row.matched.bought,
        )

    def ending_states(self, eons: Sequence[int]) -> list[OrderState]:
        """What ends the order for this wallet, cancelled or finalised: the current eon's state,
        and one for each later copy. `eons` are those of the copies left, this one first."""
        row = self.row
        if self.is_debit:
            side = Side(_totals(row.debit_state), self.before, self.start)
            return debit_cancellation_states(
                self.terms, eons=eons, debit=side, matched_out=self.sold_now
            )
        return credit_closing_states(
            self.terms,
            eons=eons,
            totals=_totals(row.credit_state),
            set_before=self.before,
            matched_in=self.bought_now,
        )

    def verify(self) -> None:
        """Check terms, states, signatures and matched amounts against what the wallet knows."""
        row = self.row
        self._verify_amounts()
        if self.is_debit:
            placed = OrderState(
                row.eon, self._root(self.signed_start), self.base.spent + row.amount, self.base[1]
            )
            self._require(row.debit_state, placed, "debit", self.signed_start)
            if row.debit_cancellation is not None:
                self._require(
                    row.debit_cancellation, self.ending_states([row.eon])[0], "debit", self.start
                )
        else:
            placed = OrderState(row.eon, self._root(self.signed_start), *self.base)
            self._require(row.credit_state, placed, "credit", self.signed_start)
            fulfilled = OrderState(
                row.eon,
                self._root(CLOSED_START),
                self.base.spent,
                self.base.gained + row.amount_swapped,
            )
            self._require(
                row.fulfilment_state,
                fulfilled,
                "fulfilment",
                CLOSED_START,
                countersigned=self.fulfilment_is_due,
            )
            for closing in (row.finalisation_state, row.credit_cancellation):
                if closing is not None:
                    ended = self.ending_states([row.eon])[0]
                    self._require(closing, ended, "closing", CLOSED_START)
        if row.cancelled or row.debit_cancellation is not None:
            self._require_frozen_by_its_trader()

    def _verify_amounts(self) -> None:
        row, earlier = self.row, self.earlier or NOTHING_MATCHED
        matched = row.matched
        if matched.sold < earlier.sold or matched.bought < earlier.bought:
            raise Deception(f"order {row.id} has lost what it traded in an earlier eon")
        order = Order(row.amount, row.amount_swapped, row.sells, matched.sold, matched.bought)
        if not order.is_within_limit:
            raise Deception(f"order {row.id} traded beyond its limit: {matched}")
        if order.is_fulfilled != row.complete:
            raise Deception(f"order {row.id} is said to be complete or open against its amounts")
        if (row.debit_start, row.credit_start) != (row.amount, 0):
            raise Deception(f"order {row.id} has other starts than its trader signed")
        if (row.debit_cancellation is None) != (row.credit_cancellation is None):
            raise Deception(f"order {row.id} is cancelled for one of its wallets only")
        if row.finalisation_state is not None and not row.complete:
            raise Deception(f"order {row.id} is finalised and not complete")

    def _root(self, start: int) -> bytes:
        return self.before.root_with(self.terms.leaf(start))

    def _require(
        self,
        said: SignedState,
        state: OrderState,
        name: str,
        start: int,
        *,
        countersigned: bool = True,
    ) -> None:
        row = self.row
        known = (state.tx_set_root, state.spent, state.gained)
        if (said.tx_set_root, said.spent, said.gained) != known:
            raise Deception(f"the {name} state of order {row.id} is not what its trader signed")
        leaf, index = self.terms.leaf(start), self.before.count
        at_its_place = said.path is not None and verify_path(
            leaf, index, said.path, said.tx_set_root
        )
        if said.index != index or not at_its_place:
            raise Deception(f"the {name} state of order {row.id} is not of its wallet's set")
        digest = signed_state_digest(self.chain, self.wallet, row.eon, said)
        if not is_signed_by(digest, said.wallet_signature, self.wallet.address):
            raise Deception(f"the {name} state of order {row.id} is not signed by its trader")
        if not countersigned:
            return
        signature = said.operator_signature
        if signature is None or not is_signed_by(digest, signature, self.chain.operator):
            raise Deception(f"the {name} state of order {row.id} is not countersigned")

    def _require_frozen_by_its_trader(self) -> None:
        signature = self.row.freeze_signature
        if signature is None or not is_signed_by(
            self.terms.freeze_digest(), signature, self.wallet.address
        ):
            raise Deception(f"order {self.row.id} was frozen without its trader")


def require_progress(before: OrderRow, after: OrderRow) -> None:
    """Check that a row has only gone on since it was last read. Raises `Deception`."""
    if not has_progressed(before, after):
        raise Deception(f"order {before.id} has been rolled back or altered")


def has_progressed(before: OrderRow, after: OrderRow) -> bool:
    """Tell whether a row can have become another: what is signed stays, what is traded grows."""
    if _unchanging(before) != _unchanging(after):
        return False
    grown = (
        after.matched.sold >= before.matched.sold and after.matched.bought >= before.matched.bought
    )
    flags = (
        (before.appended, after.appended),
        (before.processed, after.processed),
        (before.complete, after.complete),
        (before.voided, after.voided),
    )
    if not grown or any(was and not now for was, now in flags):
        return False
    if before.cancelled:
        # The end of an eon forgets a freeze without cancellation, but not the amounts.
        thawed = after.processed and not after.is_ended
        if before.matched != after.matched or not (after.cancelled or thawed):
            return False
    pairs = (
        (before.finalisation_state, after.finalisation_state),
        (before.debit_cancellation, after.debit_cancellation),
        (before.credit_cancellation, after.credit_cancellation),
        (before.freeze_signature, after.freeze_signature),
    )
    if any(was is not None and was != now for was, now in pairs):
        return False
    return all(
        was.operator_signature in (None, now.operator_signature)
        for was, now in (
            (before.debit_state, after.debit_state),
            (before.credit_state, after.credit_state),
            (before.fulfilment_state, after.fulfilment_state),
        )
    )


def _unchanging(row: OrderRow) -> tuple[object, ...]:
    states = (row.debit_state, row.credit_state, row.fulfilment_state)
    return (
        *(row.id, row.tx_id, row.eon, row.nonce, row.sells, row.amount, row.amount_swapped),
        *(_name(row.debit), _name(row.credit), row.debit_start, row.credit_start),
        *((s.wallet_signature, s.spent, s.gained, s.tx_set_root) for s in states),
    )


def _name(party: Party) -> tuple[bytes, bytes, int]:
    return party.address, party.token, party.trail


def _totals(state: SignedState) -> Totals:
    return Totals(state.spent, state.gained)
