"""How many orders a second the ledger takes, and how many trades a second it writes.

Traders of two tokens stand ready, half of them with money in each. Every order is signed
beforehand, for one eon.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Engine

from benchmarks.payer import key_of
from benchmarks.seed import EON, add_wallets, bootstrap
from ledger.checkpoint import build_checkpoint
from ledger.closing import close_eon
from ledger.identities import IdentityCache
from ledger.matching.matcher import Matcher, MatchingPolicy
from ledger.orders.placement import place_order
from ledger.orders.requests import OrderRequest
from ledger.rules import LedgerRules
from ledger.tokens import activate_token, add_pair, add_token
from models.engine import open_sessions
from protocol.address import Address
from protocol.markers import minimum_available_balance_digest
from protocol.orders import OrderState, OrderTerms, Side, Totals, placement_states
from protocol.signing import Signer
from protocol.states import active_state_digest
from protocol.trees.transaction_set import EMPTY

CONTRACT: Final[Address] = b"\x09" * 20
TOKEN: Final[Address] = b"\x0b" * 20
FUNDS: Final = 10**18
PRICE_STEPS: Final = 50


@dataclass(frozen=True, slots=True)
class Floor:
    """A ledger with `traders` in each of two tokens; trails of both groups in both tokens."""

    engine: Engine
    rules: LedgerRules
    traders: int
    trails: dict[tuple[Address, bool], int]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of something in so many seconds."""

    count: int
    elapsed_s: float

    @property
    def per_second(self) -> float:
        """The rate."""
        return self.count / self.elapsed_s


def open_floor(engine: Engine, traders: int) -> Floor:
    """Fill the migrated, empty database of `engine`, and make the checkpoint of its eon."""
    rules = bootstrap(engine, operator=Signer(b"\x01" * 32), contract=CONTRACT, chain_id=1337)
    rules = replace(rules, swaps_enabled=True)
    sessions = open_sessions(engine)
    with sessions.begin() as session:
        add_token(session, rules, TOKEN, name="token", short_name="TOK")
        activate_token(session, rules, TOKEN, 1)
        add_pair(session, CONTRACT, TOKEN)
        add_pair(session, TOKEN, CONTRACT)
    trails = {
        (token, has_native): add_wallets(
            engine,
            rules,
            traders,
            FUNDS if (token == CONTRACT) == has_native else 0,
            token_trail=token_trail,
            first_key=0 if has_native else traders,
        )
        for token_trail, token in enumerate((CONTRACT, TOKEN))
        for has_native in (True, False)
    }
    with sessions.begin() as session:
        close_eon(session, rules, EON - 1)
    build_checkpoint(engine, rules, EON)
    return Floor(engine, rules, traders, trails)


def sign_orders(
    floor: Floor, places: Sequence[int], *, sells_native: bool, dearness: int = 0
) -> list[OrderRequest]:
    """Sign one order for each trader of a group; prices spread over `PRICE_STEPS` steps."""
    return [
        _sign(floor, place, sells_native=sells_native, wanted=_wish(place, dearness))
        for place in places
    ]


def _wish(place: int, dearness: int) -> int:
    return FUNDS + FUNDS // 1000 * (place % PRICE_STEPS) * dearness


def _sign(floor: Floor, place: int, *, sells_native: bool, wanted: int) -> OrderRequest:
    sold, bought = (CONTRACT, TOKEN) if sells_native else (TOKEN, CONTRACT)
    signer = key_of(place if sells_native else floor.traders + place)
    trails = {token: floor.trails[token, sells_native] + place for token in (sold, bought)}
    terms = OrderTerms(sold, bought, trails[bought], FUNDS, wanted, place + 1)
    empty = Side(Totals(0, 0), EMPTY, 0)
    states = placement_states(terms, eon=EON, eons=1, debit=empty, credit=empty)

    def signed(token: Address, state: OrderState) -> tuple[bytes]:
        digest = active_state_digest(
            contract=CONTRACT,
            token=token,
            wallet=signer.address,
            trail=trails[token],
            eon=EON,
            tx_set_root=state.tx_set_root,
            spent=state.spent,
            gained=state.gained,
        )
        return (signer.sign(digest),)

    def marked(token: Address) -> tuple[bytes]:
        digest = minimum_available_balance_digest(
            contract=CONTRACT, token=token, wallet=signer.address, eon=EON, amount=0
        )
        return (signer.sign(digest),)

    return OrderRequest(
        debit_token=sold,
        debit_address=signer.address,
        credit_token=bought,
        credit_address=signer.address,
        amount=FUNDS,
        amount_swapped=wanted,
        eon=EON,
        nonce=terms.nonce,
        debit_signatures=signed(sold, states.debit[0]),
        debit_marker_signatures=marked(sold),
        credit_signatures=signed(bought, states.credit[0]),
        credit_marker_signatures=marked(bought),
        fulfilment_signatures=signed(bought, states.fulfilment[0]),
    )


def place_all(floor: Floor, orders: Sequence[OrderRequest], *, threads: int) -> Rate:
    """Place orders, each in a transaction of its own, from some threads."""
    sessions, identities = open_sessions(floor.engine), IdentityCache()

    def place(order: OrderRequest) -> None:
        with sessions.begin() as session:
            place_order(session, floor.rules, identities, order)

    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        placed = sum(1 for _ in pool.map(place, orders))
    return Rate(placed, time.perf_counter() - begun)


def settle_statistics(floor: Floor) -> None:
    """Let the planner know the tables, as the database's own upkeep does on a running operator."""
    with floor.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")


def match_all(floor: Floor) -> Rate:
    """Let every waiting order be the taker; count the trades that are committed."""
    matcher = Matcher(open_sessions(floor.engine), floor.rules, MatchingPolicy(delay_s=0.0))
    begun = time.perf_counter()
    done = matcher.run_until_idle()
    return Rate(done.trades, time.perf_counter() - begun)
