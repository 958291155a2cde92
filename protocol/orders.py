"""Orders as leaves and states: what a trader signs when placing, closing and freezing one.

An order sells up to `amount` of one token for at least `amount_swapped` of another between two
wallets of one address, the debit and the credit wallet. It lives in consecutive eons, one signed
copy each. Its leaf stands in the transaction sets of both wallets and differs only in the start:
the balance from which the contract counts what was sold and bought.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from protocol.address import Address, hashed_address
from protocol.encoding import MAX_U256, ZERO_HASH, u64, u256
from protocol.keccak import keccak256
from protocol.trees.transaction_set import Frontier

CLOSED_START = MAX_U256
"""The start in the credit wallet's leaf once an order is fulfilled or cancelled."""

MAX_ORDER_AMOUNT = 2**128 - 1
"""Larger wishes, cancelled, would be states whose sums overflow in the contract."""

MAX_ORDER_EONS = 20
"""Copies of one order, current eon included."""


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What an order says, equal in all its copies. Amounts in base units of their tokens."""

    sell_token: Address
    buy_token: Address
    recipient_trail: int
    amount: int
    amount_swapped: int
    nonce: int

    def leaf(self, start: int) -> bytes:
        """Hash the order to the 32 bytes of its leaf; the trail is the credit wallet's."""
        return keccak256(
            hashed_address(self.sell_token)
            + hashed_address(self.buy_token)
            + u64(self.recipient_trail)
            + u256(self.amount)
            + u256(self.amount_swapped)
            + u256(start)
            + u256(self.nonce)
        )

    def freeze_digest(self) -> bytes:
        """Hash the message with which the debit wallet stops matching, before it cancels."""
        return swap_freeze_digest(self.sell_token, self.buy_token, self.nonce)


def swap_freeze_digest(sell_token: Address, buy_token: Address, nonce: int) -> bytes:
    """Hash a freeze message to 32 bytes. It names no contract, wallet or eon, so a wallet should
    never use a nonce twice for one pair."""
    return keccak256(hashed_address(sell_token) + hashed_address(buy_token) + u256(nonce))


def debit_start(allotment: int, *, fixed_start: int | None, cancelled: bool, is_last: bool) -> int:
    """Tell the start in a debit wallet's leaf.

    `fixed_start` is set in copies carried over from an earlier eon and holds while the copy is the
    last of its set and not cancelled; otherwise the start is the wallet's allotment in the eon.
    A freeze alone changes nothing.
    """
    if fixed_start is not None and is_last and not cancelled:
        return fixed_start
    return allotment


def credit_start(
    allotment: int, *, fixed_start: int | None, fulfilled: bool, cancelled: bool, is_last: bool
) -> int:
    """Tell the start in a credit wallet's leaf: as a debit wallet's while the order is open,
    `CLOSED_START` once it is fulfilled or cancelled."""
    if fulfilled or cancelled:
        return CLOSED_START
    return debit_start(allotment, fixed_start=fixed_start, cancelled=False, is_last=is_last)


class Totals(NamedTuple):
    """Cumulative spent and gained of a wallet in one eon, in base units."""

    spent: int
    gained: int


class OrderState(NamedTuple):
    """The part of an active state that an order decides."""

    eon: int
    tx_set_root: bytes
    spent: int
    gained: int


class Side(NamedTuple):
    """One wallet of an order in the order's eon: totals, the set before the order, the start."""

    totals: Totals
    set_before: Frontier
    start: int


class PlacementStates(NamedTuple):
    """The states that a trader signs to place an order, one of each per eon."""

    debit: list[OrderState]
    credit: list[OrderState]
    fulfilment: list[OrderState]


def placement_states(
    terms: OrderTerms, *, eon: int, eons: int, debit: Side, credit: Side
) -> PlacementStates:
    """Derive the states of a new order: the current eon on top of what the wallets did, every
    later one alone in its set with fixed starts (the whole amount, and 0)."""
    states = PlacementStates([], [], [])
    for later in range(eons):
        if later:
            debit = Side(Totals(0, 0), Frontier(0, ()), terms.amount)
            credit = Side(Totals(0, 0), Frontier(0, ()), 0)
        states.debit.append(
            OrderState(
                eon + later,
                debit.set_before.root_with(terms.leaf(debit.start)),
                debit.totals.spent + terms.amount,
                debit.totals.gained,
            )
        )
        states.credit.append(
            OrderState(
                eon + later,
                credit.set_before.root_with(terms.leaf(credit.start)),
                *credit.totals,
            )
        )
        states.fulfilment.append(
            OrderState(
                eon + later,
                credit.set_before.root_with(terms.leaf(CLOSED_START)),
                credit.totals.spent,
                credit.totals.gained + terms.amount_swapped,
            )
        )
    return states


def debit_cancellation_states(
    terms: OrderTerms, *, eons: Sequence[int], debit: Side, matched_out: int
) -> list[OrderState]:
    """Derive what a debit wallet signs to cancel, for the current and the later eons.

    `debit.totals` are those of the order's own debit state, `matched_out` what was sold in this
    eon, `debit.start` the wallet's allotment. Totals of later eons are equal and above everything
    signed before, so they outrank the copies without moving money.
    """
    spent = debit.totals.spent
    gained = debit.totals.gained + terms.amount - matched_out
    root = debit.set_before.root_with(terms.leaf(debit.start))
    return _closing_states(eons, root, spent, gained, max(spent, gained) + 1)


def credit_closing_states(
    terms: OrderTerms,
    *,
    eons: Sequence[int],
    totals: Totals,
    set_before: Frontier,
    matched_in: int,
) -> list[OrderState]:
    """Derive what a credit wallet signs to cancel or to finalise, for the current and later eons.

    `totals` are those of the order's own credit state, `matched_in` what was bought in this eon.
    Both totals grow by the whole wish, which makes the state newer than the fulfilment state
    without changing the balance.
    """
    wish = terms.amount_swapped
    gained = totals.gained + matched_in
    root = set_before.root_with(terms.leaf(CLOSED_START))
    outranking = max(totals.spent, gained) + wish + 1
    return _closing_states(eons, root, totals.spent + wish, gained + wish, outranking)


def _closing_states(
    eons: Sequence[int], root: bytes, spent: int, gained: int, outranking: int
) -> list[OrderState]:
    current, *later = eons
    return [
        OrderState(current, root, spent, gained),
        *(OrderState(eon, ZERO_HASH, outranking, outranking) for eon in later),
    ]
