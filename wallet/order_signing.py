"""What a trader signs: an order for all its eons, its freeze, and the states that end it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.orders import (
    MAX_ORDER_AMOUNT,
    MAX_ORDER_EONS,
    OrderState,
    OrderTerms,
    Side,
    placement_states,
)
from protocol.signing import Signer
from protocol.states import active_state_digest
from wallet.book import EonBook
from wallet.errors import NotPossible, NotYet
from wallet.order_entry import OrderEntry, terms_of
from wallet.payment import reference, sign_marker, signature_object
from wallet.verification import ChainIdentity, WalletIdentity
from wallet.wire import OrderRow


@dataclass(frozen=True, slots=True)
class Wish:
    """What a trader wants: sell up to `amount` for at least `wanted`, in base units.

    `sells` spends the whole amount, the other kind buys exactly what is wanted. The order lives
    in `eons` eons, the current one included.
    """

    amount: int
    wanted: int
    eons: int = 5
    sells: bool = True


def sign_order(
    signer: Signer, debit: EonBook, credit: EonBook, wish: Wish, nonce: int
) -> dict[str, Any]:
    """Sign an order with all that its wallet has, in five lists of one signature an eon.

    Raises `NotPossible`, and `NotYet` before the eon's checkpoint is known.
    """
    _require_ready(debit, credit, wish)
    eon, eons = debit.eon, wish.eons
    terms = OrderTerms(
        debit.wallet.token,
        credit.wallet.token,
        credit.wallet.trail,
        wish.amount,
        wish.wanted,
        nonce,
    )
    states = placement_states(
        terms,
        eon=eon,
        eons=eons,
        debit=Side(debit.totals, debit.set_before, debit.start),
        credit=Side(credit.totals, credit.set_before, credit.start),
    )

    def signed(book: EonBook, listed: Iterable[OrderState]) -> list[dict[str, str]]:
        return sign_states(signer, book.chain, book.wallet, listed)

    def markers(book: EonBook) -> list[dict[str, str]]:
        return [sign_marker(book, signer, eon + later, 0) for later in range(eons)]

    return {
        "wallet": reference(debit.wallet),
        "recipient": reference(credit.wallet),
        "amount": str(wish.amount),
        "amount_swapped": str(wish.wanted),
        "eon_number": eon,
        "nonce": str(nonce),
        "sell_order": wish.sells,
        "debit_signature": signed(debit, states.debit),
        "debit_balance_signature": markers(debit),
        "credit_signature": signed(credit, states.credit),
        "credit_balance_signature": markers(credit),
        "credit_fulfillment_signature": signed(credit, states.fulfilment),
    }


def _require_ready(debit: EonBook, credit: EonBook, wish: Wish) -> None:
    if debit.eon != credit.eon:
        raise NotYet("the eon has turned for one of the order's wallets only")
    if not (debit.is_opened and credit.is_opened):
        raise NotYet("an order is measured by the eon's checkpoint, which is not known yet")
    if not debit.is_free or not credit.is_free:
        raise NotPossible("an order holds one of the wallets")
    if not 1 <= wish.eons <= MAX_ORDER_EONS:
        raise NotPossible(f"an order lives in 1 to {MAX_ORDER_EONS} eons")
    if not (1 <= wish.amount <= MAX_ORDER_AMOUNT and 1 <= wish.wanted <= MAX_ORDER_AMOUNT):
        raise NotPossible("an order's amounts are from 1 to 2^128 - 1")
    if debit.available != wish.amount or credit.available != 0:
        raise NotPossible(
            f"an order sells all that its wallet has and fills an empty one, these hold"
            f" {debit.available} and {credit.available}"
        )


def sign_freeze(signer: Signer, row: OrderRow) -> dict[str, Any]:
    """Sign that an order stops matching."""
    signature = signer.sign(terms_of(row).freeze_digest())
    return {"freezing_signature": signature_object(signature)}


def sign_cancellation(
    signer: Signer, debit: OrderEntry, credit: OrderEntry, eons: Sequence[int]
) -> dict[str, Any]:
    """Sign the end of a frozen order for both wallets; `eons` are those of its copies left."""
    return {
        "sender_cancellation_signature": _sign_end(signer, debit, eons),
        "recipient_cancellation_signature": _sign_end(signer, credit, eons),
    }


def sign_finalisation(signer: Signer, credit: OrderEntry, eons: Sequence[int]) -> dict[str, Any]:
    """Sign the end of a fulfilled order; `eons` are those of its copies left."""
    return {"finalization_signature": _sign_end(signer, credit, eons)}


def _sign_end(signer: Signer, entry: OrderEntry, eons: Sequence[int]) -> list[dict[str, str]]:
    return sign_states(signer, entry.chain, entry.wallet, entry.ending_states(eons))


def sign_states(
    signer: Signer, chain: ChainIdentity, wallet: WalletIdentity, states: Iterable[OrderState]
) -> list[dict[str, str]]:
    """Sign a wallet's states in their order."""
    return [
        signature_object(
            signer.sign(
                active_state_digest(
                    contract=chain.contract,
                    token=wallet.token,
                    wallet=wallet.address,
                    trail=wallet.trail,
                    eon=state.eon,
                    tx_set_root=state.tx_set_root,
                    spent=state.spent,
                    gained=state.gained,
                )
            )
        )
        for state in states
    ]
